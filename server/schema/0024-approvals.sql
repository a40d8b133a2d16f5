-- Approvals with one word for each outcome; decisions that are kept as they were signed; grants that are counted, bound and can be revoked.

create table approval_decision (
  org text not null references org,
  id text primary key,
  verdict text not null check (verdict in ('approved', 'denied')),
  decided_by text not null,
  session text,
  surface text not null check (surface in ('portal', 'desk', 'dispatch')),
  fresh boolean not null,
  decided_at timestamptz not null,
  reason text,
  document text not null,
  proof text,
  proof_key bytea check (octet_length(proof_key) = 32),
  unique (org, id),
  unique (org, proof_key),
  check ((proof is null) = (proof_key is null)),
  check (fresh = (proof is not null))
);
comment on table approval_decision is 'What somebody decided, about one request or several at once. document: canonical text of the decision, whose hash the log has. proof: the passkey''s signature over the action with the key that checks it, so that anybody can later; proof_key: what makes one signature count once. fresh: whether there was such a signature.';
alter table approval_decision enable row level security;
create policy approval_decision_of_org on approval_decision to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on approval_decision to gatehouse_app;

create table approval_grant (
  org text not null references org,
  id text primary key,
  approval text not null,
  decision text not null,
  action_hash text check (action_hash ~ '^[0-9a-f]{64}$'),
  connector text not null,
  tool text not null,
  pin text check (pin ~ '^[0-9a-f]{64}$'),
  member text not null,
  client text not null,
  consent text,
  policy_version text not null,
  conditions text,
  most int not null check (most between 1 and 1000),
  used int not null default 0 check (used between 0 and most),
  last_call text,
  last_used_at timestamptz,
  given_at timestamptz not null,
  expires_at timestamptz not null,
  ended text check (ended in ('expired', 'revoked')),
  ended_at timestamptz,
  ended_by text,
  ended_why text,
  unique (org, id),
  unique (org, approval),
  foreign key (org, approval) references approval (org, id),
  foreign key (org, decision) references approval_decision (org, id),
  check ((action_hash is null) = (conditions is not null)),
  check (action_hash is null or most = 1),
  check (conditions is null or consent is not null),
  check ((used = 0) = (last_used_at is null)),
  check ((ended is null) = (ended_at is null))
);
comment on table approval_grant is 'What a yes is worth: one use by the agent that asked, for the action with this hash; or, with conditions, up to `most` uses of the same tool under them, within one consent of the agent. Good for the reviewed definition `pin`. Used up when used = most; ended says that its time was over first, or that it was taken back.';
create index approval_grant_live on approval_grant (org, member, action_hash) where ended is null and used < most;
create index approval_grant_run on approval_grant (org, member, connector, tool) where ended is null and used < most and conditions is not null;
create index approval_grant_expiring on approval_grant (org, expires_at) where ended is null and used < most;
alter table approval_grant enable row level security;
create policy approval_grant_of_org on approval_grant to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on approval_grant to gatehouse_app;
grant update (used, last_call, last_used_at, ended, ended_at, ended_by, ended_why) on approval_grant to gatehouse_app;

-- What was decided and used so far, in the new words.
insert into approval_decision (org, id, verdict, decided_by, surface, fresh, decided_at, reason, document)
select org, 'dec_' || substr(id, 5), case when state = 'refused' then 'denied' else 'approved' end, decided_by, 'portal', false, decided_at, reason,
       jsonb_build_object('v', 1, 'decision', 'dec_' || substr(id, 5), 'org', org,
         'items', jsonb_build_array(jsonb_build_object('approval', id, 'action', action_hash)),
         'verdict', case when state = 'refused' then 'denied' else 'approved' end, 'by', decided_by, 'surface', 'portal',
         'at', to_char(decided_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'reason', null, 'run', null)::text
  from approval where decided_at is not null;
insert into approval_grant (org, id, approval, decision, action_hash, connector, tool, member, client, policy_version, most, used, last_call,
                            last_used_at, given_at, expires_at, ended, ended_at)
select org, 'gra_' || substr(id, 5), id, 'dec_' || substr(id, 5), action_hash, connector, tool, asker, client, '', 1,
       case when state = 'used' then 1 else 0 end, used_by_call, used_at, decided_at, expires_at,
       case when state = 'used' then null else 'expired' end, case when state = 'used' then null else expires_at end
  from approval where decided_at is not null and state <> 'refused';

drop index approval_waiting;
drop index approval_expiring;
alter table approval drop constraint approval_state_check;
alter table approval drop constraint approval_check;
alter table approval drop constraint approval_check1;
alter table approval drop constraint approval_check2;
alter table approval drop constraint approval_check3;
alter table approval
  add column pin text check (pin ~ '^[0-9a-f]{64}$'),
  add column class text not null default 'destructive' check (class in ('read', 'write', 'destructive')),
  add column consent text,
  add column surface text not null default 'mcp',
  add column device text not null default 'unknown',
  add column asked_for text not null default 'policy' check (asked_for in ('policy', 'content')),
  add column decision text,
  add column ended_at timestamptz,
  add column ended_by text,
  add column ended_why text,
  add column replaced_with text;
alter table approval alter column class drop default, alter column surface drop default, alter column device drop default,
  alter column asked_for drop default;
update approval set decision = 'dec_' || substr(id, 5) where decided_at is not null;
-- A request from before was about an action without its tool's definition: nobody can say yes to that any more.
update approval
   set state = case when state = 'refused' then 'denied' when decided_at is not null then 'approved' when state = 'pending' then 'superseded' else state end,
       ended_at = case when decided_at is null then case when state = 'pending' then now() else expires_at end end,
       ended_why = case when state = 'pending' then 'definition' end,
       action = jsonb_build_object('v', 1, 'org', org, 'connector', connector, 'tool', tool, 'pin', null, 'args', action::jsonb -> 'args', 'also', null,
                  'executor', jsonb_build_object('member', asker, 'user', asker_user, 'client', client))::text;
alter table approval drop column decided_by, drop column decided_at, drop column reason, drop column used_at, drop column used_by_call;
alter table approval
  add constraint approval_state check (state in ('pending', 'approved', 'denied', 'expired', 'cancelled', 'superseded')),
  add constraint approval_decided check ((decision is not null) = (state in ('approved', 'denied'))),
  add constraint approval_ended check ((ended_at is not null) = (state in ('expired', 'cancelled', 'superseded'))),
  add constraint approval_why check ((ended_why is not null) = (state in ('cancelled', 'superseded'))),
  add foreign key (org, decision) references approval_decision (org, id);
comment on table approval is 'A call that waits for a person, or waited. The action is kept as canonical text. All states but pending are for ever; what a yes is worth is in approval_grant. consent: the OAuth grant by which the agent asked. asked_for: whether a rule wants a yes, or what was found in the content.';
create unique index approval_waiting on approval (org, asker, action_hash) where state = 'pending';
create index approval_expiring on approval (org, expires_at) where state = 'pending';
create index approval_latest on approval (org, asker, action_hash, asked_at desc, id desc);
create index approval_same on approval (org, asker, client, connector, tool) where state = 'pending';
create index approval_decided_by on approval (org, decision) where decision is not null;
create index approval_decision_people on approval_decision (org, decided_at, decided_by);
revoke update on approval from gatehouse_app;
grant update (state, decision, ended_at, ended_by, ended_why, replaced_with) on approval to gatehouse_app;

create table approval_sight (
  org text not null references org,
  approval text not null,
  person text not null,
  seen_at timestamptz not null,
  primary key (org, approval, person),
  foreign key (org, approval) references approval (org, id)
);
comment on table approval_sight is 'When somebody first opened a request: how long people look before they decide is measured from there.';
alter table approval_sight enable row level security;
create policy approval_sight_of_org on approval_sight to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on approval_sight to gatehouse_app;

create table approval_notice (
  org text not null references org,
  person text not null,
  approval text not null,
  how text not null check (how in ('now', 'digest')),
  planned_at timestamptz not null,
  sent_at timestamptz,
  primary key (org, person, approval),
  foreign key (org, approval) references approval (org, id)
);
comment on table approval_notice is 'Whom we tell of a request, and whether at once or together with others: so many an hour at once, and no more.';
create index approval_notice_recent on approval_notice (org, person, planned_at);
create index approval_notice_unsent on approval_notice (org, planned_at) where sent_at is null;
alter table approval_notice enable row level security;
create policy approval_notice_of_org on approval_notice to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on approval_notice to gatehouse_app;
grant update (sent_at) on approval_notice to gatehouse_app;

create table approval_settings (
  org text primary key references org,
  run_grants boolean not null,
  run_most int not null check (run_most between 1 and 1000),
  run_minutes int not null check (run_minutes between 1 and 1440),
  notices_an_hour int not null check (notices_an_hour between 0 and 100),
  set_by text not null,
  set_at timestamptz not null
);
comment on table approval_settings is 'How an org wants approvals: whether one yes may cover further calls of a run and how many for how long; how many notices an hour a person gets at once. No row: none, and the usual number.';
alter table approval_settings enable row level security;
create policy approval_settings_of_org on approval_settings to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on approval_settings to gatehouse_app;
grant update (run_grants, run_most, run_minutes, notices_an_hour, set_by, set_at) on approval_settings to gatehouse_app;

insert into merge_rule (tab, col, what, scope, within) values
  ('approval_decision', 'decided_by', 'person', 'org', 'org');

-- Where a request or a grant is over, by its time or because its asker is gone.
create or replace function lookup_expired_approvals(at timestamptz) returns table (parent text, org text)
language sql stable security definer set search_path = public as $$
  select distinct o.parent, o.id
    from (select a.org, a.asker as member, a.expires_at from approval a where a.state = 'pending'
          union all
          select g.org, g.member, g.expires_at from approval_grant g where g.ended is null and g.used < g.most) w
    join org o on o.id = w.org
   where w.expires_at <= at
      or not exists (select from member m join app_user u on u.id = m.user_id where m.id = w.member and m.org = w.org and u.state = 'active')
$$;

select defer_parent_references();
