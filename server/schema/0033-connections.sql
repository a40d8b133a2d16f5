-- Credentials for the systems of others: consents of people, accounts of organizations, and the apps that both go through.

create table connector_app (
  org text not null,
  connector text not null,
  client_id text not null check (client_id <> ''),
  kind text not null check (kind in ('secret', 'key', 'none')),
  sealed bytea,
  generation int not null,
  certificate text,
  key_id text,
  same_address boolean not null,
  ends_at timestamptz,
  refused_at timestamptz[] not null default '{}',
  failing_since timestamptz,
  set_by text not null,
  set_at timestamptz not null,
  primary key (org, connector),
  foreign key (org, connector) references connector (org, id),
  check (generation > 0),
  check ((kind = 'none') = (sealed is null)),
  check ((kind = 'key') = (certificate is not null)),
  check ((kind = 'key') = (key_id is not null))
);
comment on table connector_app is 'The app that an org registered at a vendor for a connector: client id and, sealed for this row, its secret or its private key, whose certificate is for the vendor. same_address: an account with another address than the person''s is refused. ends_at: when secret or certificate ends. refused_at: the last three times that the vendor did not take the app; failing_since: when it had refused so often in a row that it is the app''s fault.';
alter table connector_app enable row level security;
create policy connector_app_of_org on connector_app to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, delete on connector_app to gatehouse_app;
grant update (client_id, kind, sealed, generation, certificate, key_id, same_address, ends_at, refused_at, failing_since, set_by, set_at) on connector_app to gatehouse_app;

create table connection (
  org text not null,
  id text primary key,
  connector text not null,
  owner_kind text not null check (owner_kind in ('person', 'organization')),
  member text,
  user_id text,
  grant_kind text not null check (grant_kind ~ '^[a-z][a-z0-9_]*$'),
  access text not null check (access in ('read_only', 'read_write')),
  account_subject text,
  account_label text,
  account_email text,
  account_tenant text,
  scopes text[] not null,
  shown jsonb not null default '{}',
  facts jsonb not null default '{}',
  state text not null check (state in ('active', 'refresh_failed', 'reconnect', 'revoked')),
  because text check (because in ('app', 'later')),
  why text,
  sealed bytea,
  generation int not null check (generation > 0),
  access_expires_at timestamptz,
  refresh_expires_at timestamptz,
  idle_expires_at timestamptz,
  given_ends_at timestamptz,
  last_refreshed_at timestamptz,
  fail_count int not null default 0,
  next_attempt_at timestamptz,
  made_at timestamptz not null,
  made_by text not null,
  ended_at timestamptz,
  ended_by text,
  ended_why text check (ended_why in ('disconnected', 'revoked', 'replaced', 'suspended', 'member_removed', 'refused')),
  vendor_end text check (vendor_end in ('waiting', 'confirmed', 'refused', 'impossible')),
  vendor_end_tries int not null default 0,
  vendor_end_next_at timestamptz,
  unique (org, id),
  foreign key (org, connector) references connector (org, id),
  check ((owner_kind = 'person') = (member is not null)),
  check ((owner_kind = 'person') = (user_id is not null)),
  check (owner_kind = 'organization' or grant_kind = 'oauth'),
  check ((state = 'revoked') = (ended_at is not null)),
  check ((state = 'revoked') = (ended_why is not null)),
  check ((state = 'revoked') = (vendor_end is not null)),
  check ((state in ('active', 'revoked')) or why is not null),
  check (state <> 'refresh_failed' or because is not null),
  -- INVARIANT (ended is gone): after its end a secret stays only until the vendor was told, and opens for nothing else.
  check ((sealed is not null) = (state <> 'revoked' or vendor_end = 'waiting'))
);
comment on table connection is 'One credential for a connector: what a person consented to, or an account of the org. sealed: tokens, or what an administrator gave (grant_kind says which kind), for this row, connector, owner and generation. shown: its parts that are no secret; facts: what the API needs beside the token. state refresh_failed is tried again at next_attempt_at, reconnect needs a person; why: the code of the last refusal; because: whether the app is to blame, or nobody. given_ends_at: when what the administrator gave ends. member has no foreign key: a trigger ends the connections of a member who leaves. ended_by null: a trigger did it and the log is not told yet. vendor_end: how the vendor was told of the end.';
create unique index connection_of_person on connection (org, connector, member) where owner_kind = 'person' and ended_at is null;
create unique index connection_of_organization on connection (org, connector) where owner_kind = 'organization' and ended_at is null;
create index connection_of_user on connection (user_id) where ended_at is null;
create index connection_ending on connection (vendor_end_next_at) where vendor_end = 'waiting';
create index connection_untold on connection (ended_at) where state = 'revoked' and ended_by is null;
alter table connection enable row level security;
create policy connection_of_org on connection to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on connection to gatehouse_app;
grant update (access, account_subject, account_label, account_email, account_tenant, scopes, shown, facts, state, because, why, sealed, generation, access_expires_at,
              refresh_expires_at, idle_expires_at, given_ends_at, last_refreshed_at, fail_count, next_attempt_at, grant_kind, ended_at, ended_by, ended_why,
              vendor_end, vendor_end_tries, vendor_end_next_at) on connection to gatehouse_app;

create table connection_lease (
  org text not null,
  connection text not null,
  owner text,
  until timestamptz,
  attempt_generation int,
  attempt_at timestamptz,
  last_used_at timestamptz,
  primary key (org, connection),
  foreign key (org, connection) references connection (org, id),
  check ((owner is null) = (until is null)),
  check ((attempt_generation is null) = (attempt_at is null))
);
comment on table connection_lease is 'What nodes tell each other about a connection: who renews it now and until when that is theirs alone; the attempt that was begun on which generation and has not ended (written before the vendor is asked); the last use, to the minute. No row: never used.';
alter table connection_lease enable row level security;
create policy connection_lease_of_org on connection_lease to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on connection_lease to gatehouse_app;
grant update (owner, until, attempt_generation, attempt_at, last_used_at) on connection_lease to gatehouse_app;

create table connection_consent (
  org text not null,
  id text primary key,
  connector text not null,
  member text not null,
  user_id text not null,
  session text not null,
  access text not null check (access in ('read_only', 'read_write')),
  verifier_sealed bytea not null,
  begun_at timestamptz not null,
  expires_at timestamptz not null,
  answered_at timestamptz,
  unique (org, id),
  foreign key (org, connector) references connector (org, id)
);
comment on table connection_consent is 'A person who was sent to a vendor to consent, from which session, for what. Good for one answer within its time; verifier_sealed is the PKCE verifier. What came of it is in the log.';
create index connection_consent_old on connection_consent (org, expires_at);
alter table connection_consent enable row level security;
create policy connection_consent_of_org on connection_consent to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, delete on connection_consent to gatehouse_app;
grant update (answered_at) on connection_consent to gatehouse_app;

insert into merge_rule (tab, col, what, scope, within) values
  ('connection', 'user_id', 'person', 'org', 'org'),
  ('connection_consent', 'user_id', 'person', 'org', 'org');

insert into sealed_column (tab, col, scope, row_is, generation_is) values
  ('connection', 'sealed', 'org', $$id || '/' || connector || '/' || coalesce(member, 'organization')$$, 'generation'),
  ('connector_app', 'sealed', 'org', 'connector', 'generation'),
  ('connection_consent', 'verifier_sealed', 'org', 'id', '1');

-- INVARIANT (who is out has no credentials): whoever takes a member out of an org or suspends an account, by whatever way, ends their
-- connections in the same transaction. The log is told, and the vendor, by the job that finds ended_by null.
create function connections_ended() returns trigger language plpgsql security definer set search_path = public as $$
begin
  if tg_table_name = 'member' then
    update connection set state = 'revoked', ended_at = now(), ended_why = 'member_removed', vendor_end = 'waiting'
     where org = old.org and member = old.id and ended_at is null;
  else
    update connection set state = 'revoked', ended_at = now(), ended_why = 'suspended', vendor_end = 'waiting'
     where user_id = new.id and ended_at is null;
  end if;
  return null;
end $$;
revoke all on function connections_ended from public;
create trigger connections_ended after delete on member for each row execute function connections_ended();
create trigger connections_ended after update of state on app_user for each row when (new.state = 'suspended' and old.state <> 'suspended')
  execute function connections_ended();

-- In which org a connector is, for a page whose address names only the connector.
create function lookup_connector(wanted text) returns table (parent text, org text)
language sql stable security definer set search_path = public as $$
  select o.parent, o.id from connector c join org o on o.id = c.org where c.id = lookup_connector.wanted
$$;
revoke all on function lookup_connector from public;
grant execute on function lookup_connector to gatehouse_app;

-- Where a connection ended and the log or the vendor is still to be told.
create function lookup_ended_connections(at timestamptz) returns table (parent text, org text)
language sql stable security definer set search_path = public as $$
  select distinct o.parent, o.id
    from (select c.org from connection c where c.vendor_end = 'waiting' and coalesce(c.vendor_end_next_at, c.ended_at) <= lookup_ended_connections.at
          union all
          select c.org from connection c where c.state = 'revoked' and c.ended_by is null) w
    join org o on o.id = w.org
$$;
revoke all on function lookup_ended_connections from public;
grant execute on function lookup_ended_connections to gatehouse_app;

select defer_parent_references();
