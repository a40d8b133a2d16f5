-- What every room stands on: versions that caches are keyed by, and the wrapped keys of the seal.
revoke all on schema public from public;
grant usage on schema public to gatehouse_app, gatehouse_sequencer, gatehouse_oauth, gatehouse_worker;
do $$ begin execute format('grant create on database %I to gatehouse_worker', current_database()); end $$;

-- The ids that a transaction may see; null when it named none.
create function app_org() returns text language sql stable parallel safe return nullif(current_setting('app.org', true), '');
create function app_parent() returns text language sql stable parallel safe return nullif(current_setting('app.parent', true), '');

create table scope_version (
  scope text primary key,
  version bigint not null default 1
);
comment on table scope_version is 'One counter per parent and org. Every change bumps it in its own transaction; caches of a node are valid for one value of it.';
alter table scope_version enable row level security;
create policy scope_version_read on scope_version for select to gatehouse_app using (true);
grant select on scope_version to gatehouse_app;

-- Counts up the versions of an org and of its parent and tells every node. Both, because a change inside one org (a directory suspends a
-- user of the parent) can matter in its sisters. Always the parent first, so that two changes never wait for each other in a circle.
-- Definer, so that the counters cannot be set to anything else.
create function bump_version(parent text, org text) returns void language plpgsql security definer set search_path = public as $$
declare s text;
begin
  if parent is distinct from app_parent() or org is distinct from app_org() then
    raise exception 'bump_version: not the scope of this transaction';
  end if;
  foreach s in array array_remove(array[parent, org], null) loop
    insert into scope_version (scope) values (s) on conflict (scope) do update set version = scope_version.version + 1;
    perform pg_notify('gatehouse_version', s);
  end loop;
end $$;
revoke all on function bump_version from public;
grant execute on function bump_version to gatehouse_app;

create table seal_key (
  scope text not null,
  generation int not null,
  provider text not null,
  wrapped bytea not null,
  created_at timestamptz not null default now(),
  primary key (scope, generation)
);
comment on table seal_key is 'A key per parent or org, wrapped by the key provider. Secrets are sealed with data keys that these wrap. Without the provider''s key the rows are noise.';
alter table seal_key enable row level security;
create policy seal_key_scope on seal_key to gatehouse_app using (scope in (app_org(), app_parent())) with check (scope in (app_org(), app_parent()));
grant select, insert on seal_key to gatehouse_app;

-- Names of the key provider's keys that anything here is sealed with, so that a start with a lost or a wrong key file is refused at once.
create function lookup_seal_providers() returns text[] language sql stable security definer set search_path = public as $$
  select coalesce(array_agg(distinct provider), '{}') from seal_key
$$;
revoke all on function lookup_seal_providers from public;
grant execute on function lookup_seal_providers to gatehouse_app;
