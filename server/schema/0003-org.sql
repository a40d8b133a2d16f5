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
comment on table api_key is 'A key for scripts: SHA-256 only, with the permissions that it carries.';
alter table api_key enable row level security;
create policy api_key_of_org on api_key to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, update on api_key to gatehouse_app;
