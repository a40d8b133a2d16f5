-- How people sign in: connections to identity providers, links, sessions, and the trace of every attempt. All of it is the parent's.
create table sso_connection (
  parent text not null references parent,
  id text primary key,
  name text not null,
  kind text not null check (kind in ('oidc')),
  issuer text not null,
  client_id text not null,
  auth_method text not null check (auth_method in ('client_secret_basic', 'client_secret_post', 'none')),
  secret_sealed bytea,
  secret_generation int not null default 1,
  allow_private text[] not null default '{}',
  match_directory boolean not null,
  state text not null check (state in ('active', 'disabled')),
  discovery jsonb not null,
  discovered_at timestamptz not null,
  created_at timestamptz not null,
  unique (parent, id),
  unique (parent, issuer, client_id),
  check ((auth_method = 'none') = (secret_sealed is null))
);
comment on table sso_connection is 'An identity provider of the parent. match_directory: a first sign-in may be matched to a directory user by externalId.';
alter table sso_connection enable row level security;
create policy sso_connection_of_parent on sso_connection to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, update on sso_connection to gatehouse_app;

create table identity_link (
  parent text not null references parent,
  connection text not null,
  issuer text not null,
  subject text not null,
  user_id text not null,
  made_by text not null check (made_by in ('directory', 'person')),
  linked_at timestamptz not null,
  last_sign_in_at timestamptz,
  primary key (parent, connection, issuer, subject),
  foreign key (parent, connection) references sso_connection (parent, id),
  foreign key (parent, user_id) references app_user (parent, id)
);
comment on table identity_link is 'Which user an identity is. Keyed by connection, issuer and subject: never by e-mail, which an identity provider may let people choose.';
create index identity_link_user on identity_link (parent, user_id);
alter table identity_link enable row level security;
create policy identity_link_of_parent on identity_link to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert on identity_link to gatehouse_app;
grant update (last_sign_in_at) on identity_link to gatehouse_app;

create table session (
  parent text not null references parent,
  id text primary key,
  user_id text not null,
  hash bytea not null unique,
  connection text,
  user_agent text not null,
  created_at timestamptz not null,
  last_seen_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  unique (parent, id),
  foreign key (parent, user_id) references app_user (parent, id),
  foreign key (parent, connection) references sso_connection (parent, id)
);
comment on table session is 'A signed-in browser. SHA-256 of the cookie only. connection is null for a session that began with a set-up link.';
create index session_of_user on session (parent, user_id, id desc);
alter table session enable row level security;
create policy session_of_parent on session to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert on session to gatehouse_app;
grant update (last_seen_at, revoked_at) on session to gatehouse_app;

create table sign_in_attempt (
  parent text not null references parent,
  state_hash bytea primary key,
  connection text not null,
  nonce text not null,
  verifier_sealed bytea not null,
  browser_hash bytea not null,
  return_to text not null,
  intent text not null check (intent in ('sign_in', 'link')),
  user_id text,
  session_id text,
  discovery jsonb not null,
  started_at timestamptz not null,
  expires_at timestamptz not null,
  foreign key (parent, connection) references sso_connection (parent, id),
  foreign key (parent, user_id) references app_user (parent, id),
  foreign key (parent, session_id) references session (parent, id),
  check ((intent = 'link') = (user_id is not null and session_id is not null))
);
comment on table sign_in_attempt is 'A browser that was sent to an identity provider and is not back yet. Used once: taken by delete. discovery: the trace stage of before the redirect.';
create index sign_in_attempt_old on sign_in_attempt (parent, expires_at);
alter table sign_in_attempt enable row level security;
create policy sign_in_attempt_of_parent on sign_in_attempt to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, delete on sign_in_attempt to gatehouse_app;

create table sign_in_trace (
  parent text not null references parent,
  id text primary key,
  at timestamptz not null,
  connection text not null,
  user_id text,
  subject text,
  outcome text not null,
  stages jsonb not null,
  unique (parent, id),
  foreign key (parent, connection) references sso_connection (parent, id),
  foreign key (parent, user_id) references app_user (parent, id)
);
comment on table sign_in_trace is 'What happened at each stage of one sign-in: found, expected, code. outcome is signed_in, linked, or the code of the refusal.';
create index sign_in_trace_list on sign_in_trace (parent, id desc);
alter table sign_in_trace enable row level security;
create policy sign_in_trace_of_parent on sign_in_trace to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert on sign_in_trace to gatehouse_app;

create table setup_link (
  parent text not null references parent,
  id text primary key,
  user_id text not null,
  hash bytea not null unique,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  unique (parent, id),
  foreign key (parent, user_id) references app_user (parent, id)
);
comment on table setup_link is 'A one-time way in for the first owner, before any identity provider is connected. SHA-256 of the token only.';
alter table setup_link enable row level security;
create policy setup_link_of_parent on setup_link to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert on setup_link to gatehouse_app;
grant update (used_at) on setup_link to gatehouse_app;

-- Lookups before the parent is known. Definer: each answers one question, for someone who holds the secret or the id.

create function lookup_session(cookie_hash bytea)
returns table (parent text, session text, user_id text, user_state text, last_seen_at timestamptz, expires_at timestamptz, revoked_at timestamptz)
language sql stable security definer set search_path = public as $$
  select s.parent, s.id, s.user_id, u.state, s.last_seen_at, s.expires_at, s.revoked_at
    from session s join app_user u on u.id = s.user_id and u.parent = s.parent
   where s.hash = cookie_hash
$$;
revoke all on function lookup_session from public;
grant execute on function lookup_session to gatehouse_app;

create function lookup_sso_connection(wanted text) returns text
language sql stable security definer set search_path = public as $$ select parent from sso_connection where id = wanted $$;
revoke all on function lookup_sso_connection from public;
grant execute on function lookup_sso_connection to gatehouse_app;

create function lookup_sign_in_attempt(state bytea) returns text
language sql stable security definer set search_path = public as $$ select parent from sign_in_attempt where state_hash = state $$;
revoke all on function lookup_sign_in_attempt from public;
grant execute on function lookup_sign_in_attempt to gatehouse_app;

create function lookup_setup_link(token_hash bytea) returns text
language sql stable security definer set search_path = public as $$ select parent from setup_link where hash = token_hash $$;
revoke all on function lookup_setup_link from public;
grant execute on function lookup_setup_link to gatehouse_app;
