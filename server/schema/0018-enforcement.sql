-- Enforcing single sign-on without locking anybody out: its state per organization, whom it would have refused, dry sign-ins, kept claims.
create table sso_enforcement (
  org text primary key references org,
  state text not null check (state in ('off', 'report_only', 'staged', 'full')),
  percent int not null default 0 check (percent between 0 and 100),
  groups text[] not null default '{}',
  connections text[] not null default '{}',
  preview_hash text,
  returned_because text,
  changed_by text not null,
  changed_at timestamptz not null,
  check (state = 'staged' or (percent = 0 and groups = '{}')),
  check (state not in ('staged', 'full') or preview_hash is not null)
);
comment on table sso_enforcement is 'How far an org insists on single sign-on. staged: for percent of its people (stable by hash of the user) and for whoever is in one of groups. connections: the only ones that count; empty: every active one. preview_hash: the simulation that was looked at. returned_because: the code that brought it back to report_only by itself.';
alter table sso_enforcement enable row level security;
create policy sso_enforcement_of_org on sso_enforcement to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, update on sso_enforcement to gatehouse_app;

create table sso_enforcement_hit (
  org text not null references org,
  id text primary key,
  at timestamptz not null,
  user_id text not null,
  via text not null check (via in ('sso', 'setup_link', 'passkey', 'mail_link')),
  connection text,
  refused boolean not null,
  unique (org, id)
);
comment on table sso_enforcement_hit is 'A sign-in that enforcement refused, or in report_only would have refused. For counting; kept for 90 days.';
create index sso_enforcement_hit_at on sso_enforcement_hit (org, at);
alter table sso_enforcement_hit enable row level security;
create policy sso_enforcement_hit_of_org on sso_enforcement_hit to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, delete on sso_enforcement_hit to gatehouse_app;

create table sso_test (
  org text not null references org,
  id text primary key,
  connection text not null,
  hash bytea not null unique,
  begun_by text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  finished_at timestamptz,
  outcome text,
  sealed bytea,
  unique (org, id),
  check ((finished_at is null) = (outcome is null)),
  check (sealed is null or finished_at is not null)
);
comment on table sso_test is 'A dry sign-in through a connection: nobody is let in or linked by it. hash: SHA-256 of the secret in the address that begins it. sealed: what was received, as mapped and foreseen; deleted after seven days.';
create index sso_test_list on sso_test (org, connection, id desc);
alter table sso_test enable row level security;
create policy sso_test_of_org on sso_test to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, update, delete on sso_test to gatehouse_app;

create table sign_in_claims (
  parent text not null,
  trace text primary key,
  connection text not null,
  sealed bytea not null,
  kept_until timestamptz not null,
  foreign key (parent, trace) references sign_in_trace (parent, id),
  foreign key (parent, connection) references sso_connection (parent, id)
);
comment on table sign_in_claims is 'What a proved identity claimed at a sign-in that was refused afterwards, sealed, for seven days: so that it can be judged again by the configuration of then.';
create index sign_in_claims_old on sign_in_claims (parent, kept_until);
alter table sign_in_claims enable row level security;
create policy sign_in_claims_of_parent on sign_in_claims to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, delete on sign_in_claims to gatehouse_app;

-- What an attempt is for: also a dry sign-in, which belongs to nobody.
alter table sign_in_attempt drop constraint sign_in_attempt_intent_check;
alter table sign_in_attempt add constraint sign_in_attempt_intent_check check (intent in ('sign_in', 'link', 'test'));
alter table sign_in_attempt add column test text;
alter table sign_in_attempt add column test_org text;
alter table sign_in_attempt add constraint sign_in_attempt_test_check check ((intent = 'test') = (test is not null and test_org is not null));

create index sign_in_trace_recent on sign_in_trace (parent, at);

-- Whether a stage takes somebody in. INVARIANT (stable stages): the same person at the same percentage, always; more percent take nobody out.
create function sso_stage_takes(state text, percent int, groups text[], wanted_user text) returns boolean
language sql stable set search_path = public as $$
  select case state
    when 'full' then true
    when 'staged' then
      ('x' || substr(encode(sha256(convert_to('sso stage ' || wanted_user, 'UTF8')), 'hex'), 1, 8))::bit(32)::bigint % 100 < percent
      or exists (select from org_group_member y where y.user_id = wanted_user and y.group_id = any(groups))
      or exists (select from scim_user u join scim_membership m on m.scim_user = u.id
                  where u.user_id = wanted_user and u.deleted_at is null and u.active and m.group_id = any(groups))
    else false end
$$;
revoke all on function sso_stage_takes from public;
grant execute on function sso_stage_takes to gatehouse_app;

-- Who is never asked for single sign-on: whom an org made a break-glass account, and primary owners whom no identity provider made. One org's
-- break-glass account is spared by every org of the parent: else a second org could shut out the one person who can undo the first one's
-- mistake. Whoever makes one manages the parent's connections, too, so this gives nothing away. Runs as whoever calls it.
create function break_glass(of_parent text, of_user text) returns boolean
language sql stable set search_path = public as $$
  select exists (select from provisioning_exempt x join org o on o.id = x.org and o.parent = of_parent
                   join member m on m.org = x.org and m.user_id = x.user_id where x.user_id = of_user)
      or exists (select from member m join org o on o.id = m.org and o.parent = of_parent join app_user u on u.id = m.user_id
                  where m.user_id = of_user and m.role = 'primary_owner' and u.origin = 'local')
$$;
revoke all on function break_glass from public;

-- The same for a user of this transaction's parent: member is otherwise seen one organization at a time.
create function break_glass_of_user(wanted_user text) returns boolean
language sql stable security definer set search_path = public as $$ select break_glass(app_parent(), wanted_user) $$;
revoke all on function break_glass_of_user from public;
grant execute on function break_glass_of_user to gatehouse_app;

-- What the orgs of one user ask of a sign-in; across the orgs of the transaction's parent, because a session is the parent's.
create function enforcement_of_user(wanted_user text)
returns table (org text, name text, state text, applies boolean, break_glass boolean, connections text[])
language sql stable security definer set search_path = public as $$
  select o.id, o.name, e.state, sso_stage_takes(e.state, e.percent, e.groups, m.user_id), break_glass(o.parent, m.user_id), e.connections
    from member m join org o on o.id = m.org join sso_enforcement e on e.org = o.id
   where o.parent = app_parent() and m.user_id = wanted_user and e.state <> 'off'
   order by o.id
$$;
revoke all on function enforcement_of_user from public;
grant execute on function enforcement_of_user to gatehouse_app;

-- As in 0017-sessions.sql. INVARIANT (enforced everywhere): a session that enforcement would not open is ended for every door, also where it
-- is older than the enforcement or than the membership. The cheap comparison comes first: single sign-on through a connection that counts.
create or replace function lookup_session(cookie_hash bytea)
returns table (parent text, session text, user_id text, user_state text, created_at timestamptz, last_seen_at timestamptz, expires_at timestamptz,
               revoked_at timestamptz, idle_s int, max_s int)
language sql stable security definer set search_path = public as $$
  select s.parent, s.id, s.user_id, u.state, s.created_at, s.last_seen_at, s.expires_at,
         coalesce(s.revoked_at, (
           select e.changed_at
             from member m join sso_enforcement e on e.org = m.org
            where m.user_id = s.user_id and e.state in ('staged', 'full')
              and (s.connection is null or (e.connections <> '{}' and s.connection <> all(e.connections)))
              and sso_stage_takes(e.state, e.percent, e.groups, m.user_id) and not break_glass(s.parent, s.user_id)
            limit 1)),
         l.idle_s, l.max_s
    from session s join app_user u on u.id = s.user_id and u.parent = s.parent cross join lateral session_limits(s.parent, s.user_id) l
   where s.hash = cookie_hash
$$;
revoke all on function lookup_session from public;
grant execute on function lookup_session to gatehouse_app;

-- For the job, which belongs to no org: where enforcement could have to step back, or something is old.
create function lookup_enforcing_orgs() returns table (parent text, org text, enforcing boolean)
language sql stable security definer set search_path = public as $$
  select o.parent, o.id, e.state in ('staged', 'full') from sso_enforcement e join org o on o.id = e.org
  union all
  select o.parent, o.id, false from org o
   where not exists (select from sso_enforcement e where e.org = o.id) and exists (select from sso_test x where x.org = o.id)
$$;
revoke all on function lookup_enforcing_orgs from public;
grant execute on function lookup_enforcing_orgs to gatehouse_app;

-- Whose test an address begins; for a browser that nobody knows yet.
create function lookup_sso_test(token_hash bytea) returns table (parent text, org text, test text, connection text)
language sql stable security definer set search_path = public as $$
  select o.parent, x.org, x.id, x.connection from sso_test x join org o on o.id = x.org where x.hash = token_hash
$$;
revoke all on function lookup_sso_test from public;
grant execute on function lookup_sso_test to gatehouse_app;

insert into merge_rule (tab, col, what, scope, within) values
  ('sign_in_claims', 'parent', 'ends', 'connection', 'connection'),
  ('sso_enforcement_hit', 'user_id', 'person', 'org', 'org');
select defer_parent_references();
