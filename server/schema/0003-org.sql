-- Parents, organizations and people.
create table parent (
  id text primary key,
  name text not null,
  created_at timestamptz not null
);
comment on table parent is 'Parent organization: owns domains, SSO connections, directories and users; ties organizations together.';
alter table parent enable row level security;
create policy parent_own on parent to gatehouse_app using (id = app_parent()) with check (id = app_parent());
grant select, insert, update on parent to gatehouse_app;

create table org (
  parent text not null references parent,
  id text primary key,
  name text not null,
  surface text not null check (surface in ('workspace', 'console')),
  region text not null default 'local',
  created_at timestamptz not null,
  unique (parent, id)
);
comment on table org is 'Organization. Lives in one region; its rows, keys and log stay there.';
alter table org enable row level security;
create policy org_of_parent on org to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, update on org to gatehouse_app;

create table app_user (
  parent text not null references parent,
  id text primary key,
  email text not null,
  display_name text not null,
  state text not null check (state in ('active', 'suspended')),
  origin text not null check (origin in ('local', 'directory', 'sign_in')),
  suspended_at timestamptz,
  suspended_by text,
  created_at timestamptz not null,
  unique (parent, id)
);
comment on table app_user is 'A person''s account at the parent. The e-mail is for showing and mailing, never a key for signing in. Suspended: refused on every surface at the next request.';
create unique index app_user_email on app_user (parent, lower(email));
alter table app_user enable row level security;
create policy app_user_of_parent on app_user to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, update on app_user to gatehouse_app;

create table member (
  org text not null references org,
  id text primary key,
  user_id text not null references app_user,
  role text not null check (role in ('primary_owner', 'owner', 'admin', 'user')),
  created_at timestamptz not null,
  unique (org, user_id)
);
comment on table member is 'A user in an org, with a role.';
create unique index member_primary_owner on member (org) where role = 'primary_owner';
create index member_user on member (user_id);
alter table member enable row level security;
create policy member_of_org on member to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, update, delete on member to gatehouse_app;

create table api_key (
  org text not null references org,
  id text primary key,
  name text not null,
  hash bytea not null unique,
  permissions text[] not null,
  created_by text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  last_used_at timestamptz
);
comment on table api_key is 'A key for scripts: SHA-256 only, with the permissions that it carries. It works while its creator is an active member whose role still has them.';
create index api_key_list on api_key (org, created_at desc, id desc);
alter table api_key enable row level security;
create policy api_key_of_org on api_key to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, update on api_key to gatehouse_app;

-- Lookups before the organization is known. Definer: they may see all rows, so each answers exactly one question.

-- Which organization a key belongs to, and whether its creator still stands behind it. The caller has the hash only if it had the key.
create function lookup_api_key(key_hash bytea)
returns table (org text, parent text, key text, permissions text[], expires_at timestamptz, revoked_at timestamptz, last_used_at timestamptz,
               creator text, creator_state text, creator_role text)
language sql stable security definer set search_path = public as $$
  select k.org, o.parent, k.id, k.permissions, k.expires_at, k.revoked_at, k.last_used_at, k.created_by, u.state, m.role
    from api_key k
    join org o on o.id = k.org
    left join app_user u on u.id = k.created_by and u.parent = o.parent
    left join member m on m.org = k.org and m.user_id = k.created_by
   where k.hash = key_hash
$$;
revoke all on function lookup_api_key from public;
grant execute on function lookup_api_key to gatehouse_app;

-- Whose organization this is; for a person who says at the door where they want to go.
create function lookup_org_parent(wanted text) returns text
language sql stable security definer set search_path = public as $$ select parent from org where id = wanted $$;
revoke all on function lookup_org_parent from public;
grant execute on function lookup_org_parent to gatehouse_app;

-- Whose user this is; for whoever makes a set-up link on the machine.
create function lookup_user_parent(wanted text) returns text
language sql stable security definer set search_path = public as $$ select parent from app_user where id = wanted $$;
revoke all on function lookup_user_parent from public;
grant execute on function lookup_user_parent to gatehouse_app;

-- The parent of a deployment that has exactly one, so that its people need not say which; null otherwise.
create function lookup_only_parent() returns text
language sql stable security definer set search_path = public as $$
  select case when count(*) = 1 then min(id) end from (select id from parent limit 2) p
$$;
revoke all on function lookup_only_parent from public;
grant execute on function lookup_only_parent to gatehouse_app;

-- Whether anybody is here yet: until then whoever holds the machine may found the first organization with a link.
create function lookup_founded() returns boolean
language sql stable security definer set search_path = public as $$ select exists (select from parent) $$;
revoke all on function lookup_founded from public;
grant execute on function lookup_founded to gatehouse_app;

-- The organizations of one user, across the parent of this transaction. member is otherwise seen one organization at a time.
create function orgs_of_user(wanted text) returns table (org text, name text, role text)
language sql stable security definer set search_path = public as $$
  select o.id, o.name, m.role
    from member m join org o on o.id = m.org
   where o.parent = app_parent() and m.user_id = wanted
   order by o.name, o.id
$$;
revoke all on function orgs_of_user from public;
grant execute on function orgs_of_user to gatehouse_app;
