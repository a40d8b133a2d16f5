-- Requests to let one exact call run, the decisions, and their use.
create table approval (
  org text not null references org,
  id text primary key,
  action_hash text not null check (action_hash ~ '^[0-9a-f]{64}$'),
  action text not null,
  connector text not null,
  tool text not null,
  asker text not null,
  asker_user text not null,
  client text not null,
  state text not null check (state in ('pending', 'granted', 'refused', 'expired', 'used')),
  asked_at timestamptz not null,
  expires_at timestamptz not null,
  decided_by text,
  decided_at timestamptz,
  reason text,
  used_at timestamptz,
  used_by_call text,
  unique (org, id),
  check ((decided_at is null) = (decided_by is null)),
  check (decided_at is not null or state in ('pending', 'expired')),
  check (decided_at is null or state <> 'pending'),
  check ((state = 'used') = (used_at is not null))
);
comment on table approval is 'A call that waits for a person. The action is kept as canonical text; the grant is good once, for this hash and this asker, until expires_at.';
create unique index approval_waiting on approval (org, asker, action_hash) where state in ('pending', 'granted');
create index approval_listed on approval (org, asked_at desc, id desc);
create index approval_expiring on approval (org, expires_at) where state in ('pending', 'granted');
alter table approval enable row level security;
create policy approval_of_org on approval to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, update on approval to gatehouse_app;

-- Organizations with requests or grants whose time is over, for the job that says so in the log.
create function lookup_expired_approvals(at timestamptz) returns table (parent text, org text)
language sql stable security definer set search_path = public as $$
  select distinct o.parent, o.id from approval a join org o on o.id = a.org
   where a.state in ('pending', 'granted') and a.expires_at <= at
$$;
revoke all on function lookup_expired_approvals from public;
grant execute on function lookup_expired_approvals to gatehouse_app;
