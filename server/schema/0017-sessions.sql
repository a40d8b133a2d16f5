-- Sessions as each organization wants them, passkeys, and what the OpenID side still needed: client keys, pushed requests, tenants, logout.

create table org_access (
  org text primary key references org,
  session_idle_s int check (session_idle_s between 900 and 604800),
  session_max_s int check (session_max_s between 3600 and 2592000),
  addresses text[] not null default '{}',
  passkeys boolean not null default false,
  changed_at timestamptz not null
);
comment on table org_access is 'How an org wants its people to come in. Null: the usual length. addresses: CIDRs; empty lets every address in. passkeys: its people may sign in with one. Of a person''s orgs the strictest length counts.';
alter table org_access enable row level security;
create policy org_access_of_org on org_access to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, update on org_access to gatehouse_app;

create table passkey (
  parent text not null references parent,
  id text primary key,
  user_id text not null,
  credential_id text not null unique,
  public_key bytea not null,
  counter bigint not null,
  transports text[] not null,
  name text not null,
  backed_up boolean not null,
  created_at timestamptz not null,
  used_at timestamptz,
  challenge_at bigint not null,
  unique (parent, id),
  foreign key (parent, user_id) references app_user (parent, id)
);
comment on table passkey is 'A WebAuthn credential of a user: the public half. used_at: the last sign-in with it, which is the proof that a break-glass account works. challenge_at: when the last challenge that was answered had been made, in ms; an older one is not taken any more.';
create index passkey_of_user on passkey (parent, user_id, id);
alter table passkey enable row level security;
create policy passkey_of_parent on passkey to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, delete on passkey to gatehouse_app;
grant update (counter, backed_up, used_at, challenge_at) on passkey to gatehouse_app;

alter table sso_connection add column hosted_domains text[] not null default '{}';
alter table sso_connection add column tenants text[] not null default '{}';
alter table sso_connection add column par text not null default 'offered' check (par in ('offered', 'always', 'never'));
comment on column sso_connection.hosted_domains is 'OpenID: the values of the claim hd that are let in; empty: it is not looked at.';
comment on column sso_connection.tenants is 'OpenID: the values of the claim tid that are let in; empty: it is not looked at.';
comment on column sso_connection.par is 'OpenID: whether requests are pushed (RFC 9126). offered: when the provider announces it, and by the address if it then refuses.';
alter table sso_connection drop constraint sso_connection_auth_method_check;
alter table sso_connection add constraint sso_connection_auth_method_check
  check (auth_method in ('client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'));
alter table sso_connection drop constraint sso_connection_check;
alter table sso_connection add constraint sso_connection_secret_check check ((auth_method in ('none', 'private_key_jwt')) = (secret_sealed is null));
comment on column sso_connection.secret_generation is 'Counts up with every new client secret, or client key: keys are derived from the root key by connection and generation, so none is kept.';

alter table sign_in_attempt add column max_age int check (max_age >= 0);
comment on column sign_in_attempt.max_age is 'OpenID: how many seconds ago the person may have proved who they are at the identity provider, where a fresh proof was asked for.';

create table oidc_session (
  parent text not null,
  session text not null,
  connection text not null,
  subject text not null,
  sid text,
  primary key (parent, session),
  foreign key (parent, session) references session (parent, id) on delete cascade,
  foreign key (parent, connection) references sso_connection (parent, id)
);
comment on table oidc_session is 'What the identity provider calls a session that it opened here: for back-channel logout.';
create index oidc_session_subject on oidc_session (parent, connection, subject);
create index oidc_session_sid on oidc_session (parent, connection, sid);
alter table oidc_session enable row level security;
create policy oidc_session_of_parent on oidc_session to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert on oidc_session to gatehouse_app;

create table oidc_logout_seen (
  parent text not null,
  connection text not null,
  hash bytea not null,
  until timestamptz not null,
  primary key (parent, connection, hash),
  foreign key (parent, connection) references sso_connection (parent, id)
);
comment on table oidc_logout_seen is 'Logout tokens that were taken and must not be taken again while they would still be valid: SHA-256 of their jti. The insert is the guard.';
create index oidc_logout_seen_until on oidc_logout_seen (parent, until);
alter table oidc_logout_seen enable row level security;
create policy oidc_logout_seen_of_parent on oidc_logout_seen to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, delete on oidc_logout_seen to gatehouse_app;

insert into merge_rule (tab, col, what, scope, within) values
  ('passkey', 'parent', 'moves', 'user', 'user_id'),
  ('oidc_session', 'parent', 'moves', 'connection', 'connection'),
  ('oidc_logout_seen', 'parent', 'moves', 'connection', 'connection');

-- INVARIANT (strictest wins): of a person's orgs the shortest times count, because one session opens them all. Runs as whoever calls it.
create function session_limits(of_parent text, of_user text) returns table (idle_s int, max_s int)
language sql stable set search_path = public as $$
  select coalesce(min(coalesce(a.session_idle_s, 43200)), 43200), coalesce(min(coalesce(a.session_max_s, 604800)), 604800)
    from member m join org o on o.id = m.org and o.parent = of_parent left join org_access a on a.org = m.org
   where m.user_id = of_user
$$;
revoke all on function session_limits from public;

-- The same for a user of this transaction's parent: member is otherwise seen one organization at a time.
create function session_limits_of_user(wanted text) returns table (idle_s int, max_s int)
language sql stable security definer set search_path = public as $$ select idle_s, max_s from session_limits(app_parent(), wanted) $$;
revoke all on function session_limits_of_user from public;
grant execute on function session_limits_of_user to gatehouse_app;

-- As before, and how long the session may last now.
drop function lookup_session;
create function lookup_session(cookie_hash bytea)
returns table (parent text, session text, user_id text, user_state text, created_at timestamptz, last_seen_at timestamptz, expires_at timestamptz,
               revoked_at timestamptz, idle_s int, max_s int)
language sql stable security definer set search_path = public as $$
  select s.parent, s.id, s.user_id, u.state, s.created_at, s.last_seen_at, s.expires_at, s.revoked_at, l.idle_s, l.max_s
    from session s join app_user u on u.id = s.user_id and u.parent = s.parent cross join lateral session_limits(s.parent, s.user_id) l
   where s.hash = cookie_hash
$$;
revoke all on function lookup_session from public;
grant execute on function lookup_session to gatehouse_app;

-- Whose passkey this is; for somebody who says so before we know them. A credential's id is public, and gives nothing away but the parent.
create function lookup_passkey(credential text) returns table (parent text, user_id text)
language sql stable security definer set search_path = public as $$ select k.parent, k.user_id from passkey k where k.credential_id = credential $$;
revoke all on function lookup_passkey from public;
grant execute on function lookup_passkey to gatehouse_app;

-- Per org of this transaction's parent in which the user is a member: does it take passkeys, and is the account its break-glass account.
create function passkey_standing(wanted text) returns table (org text, name text, allowed boolean, break_glass boolean)
language sql stable security definer set search_path = public as $$
  select o.id, o.name, coalesce(a.passkeys, false),
         u.origin = 'local' and m.role in ('owner', 'primary_owner')
           and (m.role = 'primary_owner' or exists (select from provisioning_exempt e where e.org = m.org and e.user_id = m.user_id))
    from member m join org o on o.id = m.org and o.parent = app_parent() join app_user u on u.id = m.user_id and u.parent = o.parent
    left join org_access a on a.org = m.org
   where m.user_id = wanted
   order by o.id
$$;
revoke all on function passkey_standing from public;
grant execute on function passkey_standing to gatehouse_app;

-- Now also in which orgs a request waits whose asker is gone, so that it ends and the log says so.
create or replace function lookup_expired_approvals(at timestamptz) returns table (parent text, org text)
language sql stable security definer set search_path = public as $$
  select distinct o.parent, o.id from approval a join org o on o.id = a.org
   where a.state in ('pending', 'granted')
     and (a.expires_at <= at
          or not exists (select from member m join app_user u on u.id = m.user_id where m.id = a.asker and m.org = a.org and u.state = 'active'))
$$;

select defer_parent_references();
