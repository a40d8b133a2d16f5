-- Keys that turn: new generations beside old ones, another key provider, an org's own key, and everything sealed found and sealed anew.
alter table seal_key
  alter column wrapped drop not null,
  add column wrapped_at timestamptz not null default now(),
  add column retired_at timestamptz,
  add constraint seal_key_retired check ((wrapped is null) = (retired_at is not null));
comment on table seal_key is 'Keys per parent or org, and of the deployment, wrapped by a key provider. Secrets are sealed with data keys that these wrap. The newest generation seals; an older one goes on opening until it is retired, which destroys it (wrapped is null) and keeps the row. deployment, generation 0: the secret that everything derived comes from, where no key file holds it. Without the provider''s key the rows are noise.';
grant update (provider, wrapped, wrapped_at, retired_at) on seal_key to gatehouse_app;
create policy seal_key_deployment on seal_key to gatehouse_app using (scope = 'deployment') with check (scope = 'deployment');

create or replace function lookup_seal_providers() returns text[] language sql stable security definer set search_path = public as $$
  select coalesce(array_agg(distinct provider), '{}') from seal_key where wrapped is not null
$$;

-- Whether anything was ever sealed or derived here, so that a new deployment secret is made for an empty database only.
create function lookup_seal_used() returns boolean language sql stable security definer set search_path = public as $$
  select exists (select from seal_key) or exists (select from oauth_signing_key) or exists (select from parent)
$$;

-- Every scope that has keys, for whoever runs the deployment: no keys, only whose they are and what wraps them.
create function lookup_key_scopes(after text, page int) returns table (scope text, parent text, org text, providers text[])
language sql stable security definer set search_path = public as $$
  select k.scope, coalesce(o.parent, p.id), o.id, array_agg(distinct k.provider) filter (where k.wrapped is not null)
    from seal_key k left join org o on o.id = k.scope left join parent p on p.id = k.scope
   where k.scope > after group by k.scope, o.parent, p.id, o.id order by k.scope limit page
$$;

create table own_key (
  org text primary key references org,
  id text not null unique,
  kind text not null check (kind in ('vault-transit', 'aws-kms')),
  config jsonb not null,
  sealed bytea not null,
  state text not null check (state in ('good', 'unreachable', 'gone')),
  state_since timestamptz not null,
  named_by text not null,
  named_at timestamptz not null
);
comment on table own_key is 'A key in an org''s own key service, which wraps the org''s keys instead of the deployment''s. config: where it is; sealed: what proves us there, under the deployment, because the org''s own keys need it to be opened. state: what the service last said.';
alter table own_key enable row level security;
create policy own_key_of_org on own_key to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, delete on own_key to gatehouse_app;
grant update (id, kind, config, sealed, state, state_since, named_by, named_at) on own_key to gatehouse_app;

-- Orgs with a key of their own, for the job that looks whether it is still there.
create function lookup_own_keys() returns table (parent text, org text) language sql stable security definer set search_path = public as $$
  select o.parent, k.org from own_key k join org o on o.id = k.org order by k.org
$$;

create table seal_rotation (
  scope text not null,
  id text primary key,
  generation int not null,
  new_key boolean not null,
  state text not null check (state in ('running', 'done')),
  tab text not null default '',
  col text not null default '',
  after text not null default '',
  resealed bigint not null default 0,
  total bigint not null,
  started_by text not null,
  started_at timestamptz not null,
  finished_at timestamptz,
  unique (scope, id),
  check ((state = 'done') = (finished_at is not null))
);
comment on table seal_rotation is 'Everything of a scope being sealed anew with its newest key. tab, col and after say how far it is, so that another node goes on where one was killed.';
create unique index seal_rotation_running on seal_rotation (scope) where state = 'running';
alter table seal_rotation enable row level security;
create policy seal_rotation_of_scope on seal_rotation to gatehouse_app
  using (scope in (app_org(), app_parent(), 'deployment')) with check (scope in (app_org(), app_parent(), 'deployment'));
grant select, insert on seal_rotation to gatehouse_app;
grant update (state, tab, col, after, resealed, finished_at) on seal_rotation to gatehouse_app;

create function lookup_running_rotations() returns table (id text, scope text, parent text, org text)
language sql stable security definer set search_path = public as $$
  select r.id, r.scope, coalesce(o.parent, p.id), o.id
    from seal_rotation r left join org o on o.id = r.scope left join parent p on p.id = r.scope
   where r.state = 'running' order by r.started_at
$$;

create table sealed_column (
  tab text not null,
  col text not null,
  scope text not null check (scope in ('org', 'parent', 'deployment')),
  row_is text not null,
  generation_is text not null,
  primary key (tab, col)
);
comment on table sealed_column is 'Every column with sealed bytes, and what they are bound to: the column that is their scope, and SQL that gives row and generation as the code that seals says them. A migration with a new sealed column adds its line; server/walls/sealed.test.ts finds one that does not.';
insert into sealed_column (tab, col, scope, row_is, generation_is) values
  ('connector', 'bearer', 'org', 'id', 'bearer_generation'),
  ('dlp_scanner', 'secret', 'org', 'id', 'secret_generation'),
  ('dlp_scanner', 'previous_secret', 'org', 'id', 'secret_generation - 1'),
  ('quarantine', 'sealed', 'org', 'id', '1'),
  ('sso_test', 'sealed', 'org', 'id', '1'),
  ('sso_connection', 'secret_sealed', 'parent', 'id', 'secret_generation'),
  ('saml_key', 'private_sealed', 'parent', 'id', '1'),
  ('saml_message', 'sealed', 'parent', 'trace', '1'),
  ('sign_in_claims', 'sealed', 'parent', 'trace', '1'),
  ('sign_in_attempt', 'verifier_sealed', 'parent', $$encode(state_hash, 'hex')$$, '1'),
  ('sign_in_attempt', 'arrived', 'parent', $$encode(state_hash, 'hex')$$, '2'),
  ('oauth_signing_key', 'sealed', 'deployment', 'kid', '1'),
  ('own_key', 'sealed', 'deployment', 'id', '1');

-- The functions below read and replace what is sealed, and nothing else, in the scope of the transaction or of the deployment: tables may let
-- the application insert a secret and never change it, and their policies ask for more than a scope.
create function sealed_where(of_scope text, kind text) returns text language plpgsql stable set search_path = public as $$
begin
  if of_scope is null or (of_scope is distinct from app_org() and of_scope is distinct from app_parent() and of_scope <> 'deployment') then
    raise exception 'sealed_where: not the scope of this transaction';
  end if;
  return case kind when 'deployment' then 'true' else format('%I = %L', kind, of_scope) end;
end $$;
revoke all on function sealed_where from public;

create function lookup_sealed_columns(of_scope text) returns table (tab text, col text)
language sql stable security definer set search_path = public as $$
  select c.tab, c.col from sealed_column c
   where c.scope = case when of_scope = 'deployment' then 'deployment' when of_scope like 'org\_%' then 'org' else 'parent' end
   order by c.tab, c.col
$$;

create function lookup_sealed(of_scope text, of_tab text, of_col text, after text, page int)
returns table ("row" text, generation int, sealed bytea) language plpgsql stable security definer set search_path = public as $$
declare c sealed_column;
begin
  select * into strict c from sealed_column s where s.tab = of_tab and s.col = of_col;
  return query execute format('select (%1$s)::text, (%2$s)::int, %3$I from %4$I where %3$I is not null and %5$s and (%1$s)::text > $1 order by 1 limit $2',
    c.row_is, c.generation_is, c.col, c.tab, sealed_where(of_scope, c.scope)) using after, page;
end $$;

create function lookup_sealed_counts(of_scope text) returns table (tab text, col text, key_generation bigint, n bigint)
language plpgsql stable security definer set search_path = public as $$
declare c record;
begin
  for c in select l.tab, l.col, s.scope from lookup_sealed_columns(of_scope) l join sealed_column s on s.tab = l.tab and s.col = l.col loop
    -- Only the head is fetched of what may be megabytes.
    return query execute format($q$select %1$L::text, %2$L::text, (get_byte(h, 1)::bigint << 24) | (get_byte(h, 2) << 16) | (get_byte(h, 3) << 8) | get_byte(h, 4), count(*)
        from (select substring(%2$I from 1 for 5) as h from %1$I where %2$I is not null and %3$s) x where octet_length(h) = 5 group by 3$q$,
        c.tab, c.col, sealed_where(of_scope, c.scope));
  end loop;
end $$;

-- Only over the bytes that were read: a secret that was replaced meanwhile stays.
create function place_resealed(of_scope text, of_tab text, of_col text, of_row text, was bytea, becomes bytea) returns boolean
language plpgsql security definer set search_path = public as $$
declare c sealed_column; n int;
begin
  select * into strict c from sealed_column s where s.tab = of_tab and s.col = of_col;
  execute format('update %1$I set %2$I = $1 where %2$I = $2 and (%3$s)::text = $3 and %4$s', c.tab, c.col, c.row_is, sealed_where(of_scope, c.scope))
    using becomes, was, of_row;
  get diagnostics n = row_count;
  return n = 1;
end $$;

revoke all on function lookup_seal_used, lookup_key_scopes, lookup_own_keys, lookup_running_rotations, lookup_sealed_columns, lookup_sealed,
  lookup_sealed_counts, place_resealed from public;
grant execute on function lookup_seal_used, lookup_key_scopes, lookup_own_keys, lookup_running_rotations, lookup_sealed_columns, lookup_sealed,
  lookup_sealed_counts, place_resealed to gatehouse_app;
