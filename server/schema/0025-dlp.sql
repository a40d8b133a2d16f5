-- What content may pass: the baseline per class of data, policies and exceptions, what an organization itself calls confidential, quarantine.
create table dlp_baseline (
  org text not null references org,
  data text not null,
  phase text not null check (phase in ('arguments', 'result', 'prompt', 'output', 'file_in', 'file_out')),
  action text not null check (action in ('allow', 'alert', 'redact', 'require_approval', 'quarantine', 'block')),
  set_by text not null,
  set_at timestamptz not null,
  primary key (org, data, phase)
);
comment on table dlp_baseline is 'What happens in an org to content in which a detector finds something, per phase. No row: the detector''s own default.';
alter table dlp_baseline enable row level security;
create policy dlp_baseline_of_org on dlp_baseline to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on dlp_baseline to gatehouse_app;
grant update (action, set_by, set_at) on dlp_baseline to gatehouse_app;

insert into dlp_baseline (org, data, phase, action, set_by, set_at)
select d.org, d.detector, w.phase, case w.action when 'flag' then 'alert' else w.action end, d.set_by, d.set_at
  from dlp_policy d cross join lateral (values ('arguments', d.to_tool), ('result', d.to_user)) as w(phase, action);
drop table dlp_policy;

create table dlp_policy (
  org text not null references org,
  id text primary key,
  name text not null,
  kind text not null check (kind in ('policy', 'exception')),
  group_id text,
  connector text,
  data text[] not null check (cardinality(data) > 0),
  phases text[] not null check (cardinality(phases) > 0 and phases <@ array['arguments', 'result', 'prompt', 'output', 'file_in', 'file_out']),
  action text not null check (action in ('allow', 'alert', 'redact', 'require_approval', 'quarantine', 'block')),
  two_people boolean not null default false,
  created_by text not null,
  created_at timestamptz not null,
  removed_by text,
  removed_at timestamptz,
  unique (org, id),
  -- INVARIANT (exceptions are somewhere): what loosens says for whom or where, so that nothing loosens everything at once.
  check (kind = 'policy' or group_id is not null or connector is not null),
  check (not two_people or action = 'quarantine'),
  check ((removed_at is null) = (removed_by is null))
);
comment on table dlp_policy is 'What an admin wants done with classes of data for a group, a connector and phases. A policy adds to the baseline, the most severe counts; an exception stands in place of both where it fits. Null group or connector: any. two_people: what it keeps is released by two. Removed ones stay, so that the log can be read. group_id and connector have no foreign key: a policy about what is gone applies to nothing.';
create unique index dlp_policy_name on dlp_policy (org, lower(name)) where removed_at is null;
alter table dlp_policy enable row level security;
create policy dlp_policy_of_org on dlp_policy to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on dlp_policy to gatehouse_app;
grant update (removed_by, removed_at) on dlp_policy to gatehouse_app;
insert into merge_rule (tab, col, what, scope, within) values ('dlp_policy', 'group_id', 'group', 'org', 'org');

create table dlp_fail_mode (
  org text not null references org,
  class text not null check (class in ('read', 'write', 'destructive', 'none')),
  mode text not null check (mode in ('open', 'closed')),
  set_by text not null,
  set_at timestamptz not null,
  primary key (org, class)
);
comment on table dlp_fail_mode is 'What happens in an org when content could not be looked at, per class of the tool; none: outside of a call. No row: open with an alert for reads, closed for everything else.';
alter table dlp_fail_mode enable row level security;
create policy dlp_fail_mode_of_org on dlp_fail_mode to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on dlp_fail_mode to gatehouse_app;
grant update (mode, set_by, set_at) on dlp_fail_mode to gatehouse_app;

create table dlp_detector (
  org text not null references org,
  id text primary key,
  name text not null,
  kind text not null check (kind in ('terms', 'pattern', 'dictionary', 'exact')),
  severity text not null check (severity in ('low', 'medium', 'high', 'critical')),
  entries int not null,
  spec jsonb,
  created_by text not null,
  created_at timestamptz not null,
  removed_by text,
  removed_at timestamptz,
  unique (org, id),
  check ((removed_at is null) = (removed_by is null)),
  check ((removed_at is null) = (spec is not null))
);
comment on table dlp_detector is 'What an org itself calls confidential: terms, a pattern, a dictionary, or records known only by digests whose key is derived and nowhere stored. spec never changes and goes with the removal.';
create unique index dlp_detector_name on dlp_detector (org, lower(name)) where removed_at is null;
alter table dlp_detector enable row level security;
create policy dlp_detector_of_org on dlp_detector to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on dlp_detector to gatehouse_app;
grant update (removed_by, removed_at, spec) on dlp_detector to gatehouse_app;

create table quarantine (
  org text not null references org,
  id text primary key,
  phase text not null check (phase in ('arguments', 'result', 'prompt', 'output', 'file_in', 'file_out')),
  same bytea not null,
  call text not null,
  connector text,
  tool text,
  asker text,
  asker_user text,
  client text not null,
  sealed bytea,
  bytes int not null,
  findings jsonb not null,
  detectors text[] not null,
  needs int not null check (needs in (1, 2)),
  state text not null check (state in ('waiting', 'released', 'delivered', 'discarded', 'expired')),
  kept_at timestamptz not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  unique (org, id),
  -- INVARIANT (nothing is kept longer): the copy is gone as soon as nobody can have it any more.
  check ((state in ('waiting', 'released')) = (sealed is not null)),
  check ((state in ('waiting', 'released')) = (ended_at is null))
);
comment on table quarantine is 'Content that was stopped and waits for reviewers: sealed for this row, with what was found. same: keyed hash of who asked for what, by which the identical request gets it once after the release. asker is null for a key.';
create unique index quarantine_open on quarantine (org, same) where state in ('waiting', 'released');
create index quarantine_asker on quarantine (org, asker) where state in ('waiting', 'released');
create index quarantine_listed on quarantine (org, kept_at desc, id desc);
create index quarantine_expiring on quarantine (expires_at) where state in ('waiting', 'released');
alter table quarantine enable row level security;
create policy quarantine_of_org on quarantine to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on quarantine to gatehouse_app;
grant update (state, sealed, expires_at, ended_at, asker_user) on quarantine to gatehouse_app;
insert into merge_rule (tab, col, what, scope, within) values ('quarantine', 'asker_user', 'person', 'org', 'org');

create table quarantine_decision (
  org text not null,
  quarantine text not null,
  reviewer text not null,
  decision text not null check (decision in ('release', 'discard')),
  reason text,
  decided_at timestamptz not null,
  primary key (org, quarantine, reviewer, decision),
  foreign key (org, quarantine) references quarantine (org, id)
);
comment on table quarantine_decision is 'Who wants kept content released or discarded. As many different people must release it as the row needs; one discards it.';
alter table quarantine_decision enable row level security;
create policy quarantine_decision_of_org on quarantine_decision to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on quarantine_decision to gatehouse_app;

-- Organizations with kept content whose time is over, for the job that erases it.
create function lookup_expired_quarantine(at timestamptz) returns table (parent text, org text)
language sql stable security definer set search_path = public as $$
  select distinct o.parent, o.id from quarantine q join org o on o.id = q.org
   where q.state in ('waiting', 'released') and q.expires_at <= at
$$;
revoke all on function lookup_expired_quarantine from public;
grant execute on function lookup_expired_quarantine to gatehouse_app;
