-- SAML 2.0: connections beside the OpenID ones, what they trust, and what must not happen twice.
alter table sso_connection drop constraint sso_connection_kind_check;
alter table sso_connection add constraint sso_connection_kind_check check (kind in ('oidc', 'saml'));
comment on table sso_connection is 'An identity provider of the parent. match_directory: a first sign-in may be matched to a directory user by externalId. Of kind saml: issuer is its entity ID, client_id the organization whose entity we are there, and the rest is in saml_connection.';

alter table sign_in_attempt add column arrived bytea;
grant update (arrived) on sign_in_attempt to gatehouse_app;
comment on column sign_in_attempt.arrived is 'SAML: the identity provider has answered; what it proved, sealed, until the browser comes to fetch it.';

create table saml_connection (
  parent text not null,
  connection text primary key,
  org text not null,
  sign_in_url text not null,
  sign_in_binding text not null check (sign_in_binding in ('redirect', 'post')),
  logout_url text,
  logout_response_url text,
  logout_binding text check (logout_binding in ('redirect', 'post')),
  sign_requests boolean not null,
  idp_initiated boolean not null,
  must_encrypt boolean not null,
  clock_skew_s int not null check (clock_skew_s between 0 and 120),
  sha1_until timestamptz,
  expired_certificate text not null check (expired_certificate in ('warn', 'refuse')),
  name_id_format text,
  groups_overage text not null check (groups_overage in ('refuse', 'keep')),
  email_domains text[] not null,
  attribute_map jsonb not null,
  metadata_url text,
  metadata_signed_by text,
  metadata_checked_at timestamptz,
  metadata_problem text,
  metadata_valid_until timestamptz,
  unique (parent, connection),
  foreign key (parent, connection) references sso_connection (parent, id),
  foreign key (parent, org) references org (parent, id),
  check ((logout_url is null) = (logout_binding is null))
);
comment on table saml_connection is 'The SAML part of an sso_connection: where requests go and how strictly answers are read. org: whose address (ACS) and entity ID the identity provider uses. metadata_problem: the code of the last failed refresh.';
create index saml_connection_org on saml_connection (parent, org);
alter table saml_connection enable row level security;
create policy saml_connection_of_parent on saml_connection to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, update on saml_connection to gatehouse_app;

create table saml_certificate (
  parent text not null,
  connection text not null,
  fingerprint text not null,
  certificate bytea not null,
  subject text not null,
  not_before timestamptz not null,
  not_after timestamptz not null,
  source text not null check (source in ('metadata', 'hand')),
  added_at timestamptz not null,
  warned_days int,
  primary key (parent, connection, fingerprint),
  foreign key (parent, connection) references saml_connection (parent, connection)
);
comment on table saml_certificate is 'A certificate whose key a connection trusts; several at once while the identity provider changes keys. warned_days: how near its end was when that was last told.';
create index saml_certificate_end on saml_certificate (not_after);
alter table saml_certificate enable row level security;
create policy saml_certificate_of_parent on saml_certificate to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, delete on saml_certificate to gatehouse_app;
grant update (warned_days) on saml_certificate to gatehouse_app;

create table saml_key (
  parent text not null,
  org text not null,
  id text primary key,
  certificate bytea not null,
  private_sealed bytea not null,
  created_at timestamptz not null,
  retired_at timestamptz,
  unique (parent, id),
  foreign key (parent, org) references org (parent, id)
);
comment on table saml_key is 'Our own keys as a service provider, one entity per org: the newest signs, all that are not retired decrypt. The private key is sealed.';
create unique index saml_key_order on saml_key (parent, org, created_at, id);
alter table saml_key enable row level security;
create policy saml_key_of_parent on saml_key to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert on saml_key to gatehouse_app;
grant update (retired_at) on saml_key to gatehouse_app;

create table saml_seen (
  parent text not null,
  connection text not null,
  what text not null check (what in ('assertion', 'logout_request')),
  hash bytea not null,
  until timestamptz not null,
  primary key (parent, connection, what, hash),
  foreign key (parent, connection) references saml_connection (parent, connection)
);
comment on table saml_seen is 'Messages that were taken and must not be taken again while they would still be valid: SHA-256 of their ID. The insert is the guard.';
create index saml_seen_until on saml_seen (parent, until);
alter table saml_seen enable row level security;
create policy saml_seen_of_parent on saml_seen to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, delete on saml_seen to gatehouse_app;

create table saml_session (
  parent text not null,
  session text not null,
  connection text not null,
  name_id text not null,
  name_id_format text not null,
  name_qualifier text,
  sp_name_qualifier text,
  session_index text,
  primary key (parent, session),
  foreign key (parent, session) references session (parent, id),
  foreign key (parent, connection) references saml_connection (parent, connection)
);
comment on table saml_session is 'What the identity provider calls a session that it opened here: for single logout, in either direction.';
create index saml_session_name on saml_session (parent, connection, name_id);
alter table saml_session enable row level security;
create policy saml_session_of_parent on saml_session to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert on saml_session to gatehouse_app;

create table saml_logout (
  parent text not null,
  request_hash bytea primary key,
  connection text not null,
  session text not null,
  started_at timestamptz not null,
  expires_at timestamptz not null,
  foreign key (parent, connection) references saml_connection (parent, connection),
  foreign key (parent, session) references session (parent, id)
);
comment on table saml_logout is 'A logout request of ours that the identity provider has not answered. Used once: taken by delete.';
create index saml_logout_old on saml_logout (parent, expires_at);
alter table saml_logout enable row level security;
create policy saml_logout_of_parent on saml_logout to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, delete on saml_logout to gatehouse_app;

create table saml_message (
  parent text not null,
  trace text primary key,
  connection text not null,
  sealed bytea not null,
  expected jsonb not null,
  kept_until timestamptz not null,
  foreign key (parent, trace) references sign_in_trace (parent, id),
  foreign key (parent, connection) references saml_connection (parent, connection)
);
comment on table saml_message is 'A refused response as it came, sealed, for seven days: so that an administrator can judge it again with the configuration of then. expected: what it was held against besides the configuration.';
create index saml_message_old on saml_message (parent, kept_until);
alter table saml_message enable row level security;
create policy saml_message_of_parent on saml_message to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, delete on saml_message to gatehouse_app;

create table user_attribute (
  parent text not null,
  user_id text not null,
  name text not null check (name in ('email', 'first_name', 'last_name', 'department', 'manager_email', 'groups')),
  vals text[] not null,
  connection text not null,
  asserted_at timestamptz not null,
  primary key (parent, user_id, name),
  foreign key (parent, user_id) references app_user (parent, id),
  foreign key (parent, connection) references sso_connection (parent, id)
);
comment on table user_attribute is 'What an identity provider said of a person at the latest sign-in: for rules by department or group, and for asking the manager. Never a key.';
create index user_attribute_value on user_attribute using gin (vals);
alter table user_attribute enable row level security;
create policy user_attribute_of_parent on user_attribute to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, update, delete on user_attribute to gatehouse_app;

-- For jobs, which belong to no parent: which connections something is due for, and nothing else of them.
create function lookup_saml_metadata_due(before timestamptz)
returns table (parent text, org text, connection text)
language sql stable security definer set search_path = public as $$
  select m.parent, m.org, m.connection
    from saml_connection m join sso_connection c on c.id = m.connection and c.parent = m.parent
   where c.state = 'active' and m.metadata_url is not null and (m.metadata_checked_at is null or m.metadata_checked_at < before)
   order by m.metadata_checked_at nulls first
   limit 200
$$;
revoke all on function lookup_saml_metadata_due from public;
grant execute on function lookup_saml_metadata_due to gatehouse_app;

create function lookup_saml_certificates_ending(before timestamptz)
returns table (parent text, org text, connection text)
language sql stable security definer set search_path = public as $$
  select distinct m.parent, m.org, m.connection
    from saml_certificate k join saml_connection m on m.connection = k.connection and m.parent = k.parent
         join sso_connection c on c.id = m.connection and c.parent = m.parent
   where c.state = 'active' and k.not_after < before
   limit 1000
$$;
revoke all on function lookup_saml_certificates_ending from public;
grant execute on function lookup_saml_certificates_ending to gatehouse_app;

create function lookup_saml_parents() returns table (parent text)
language sql stable security definer set search_path = public as $$
  select distinct parent from saml_connection limit 10000
$$;
revoke all on function lookup_saml_parents from public;
grant execute on function lookup_saml_parents to gatehouse_app;
