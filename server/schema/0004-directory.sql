-- The SCIM server: directories, their tokens, and the people and groups that an IdP pushes.
create table directory (
  parent text not null references parent,
  id text primary key,
  org text not null,
  name text not null,
  state text not null default 'active' check (state in ('active', 'paused')),
  created_at timestamptz not null,
  unique (parent, id),
  foreign key (parent, org) references org (parent, id)
);
comment on table directory is 'A SCIM connection of the parent. Owns the scim_users and scim_groups that arrive through it; its people become members of `org` with the role user.';
alter table directory enable row level security;
create policy directory_of_parent on directory to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, update on directory to gatehouse_app;

create table scim_token (
  parent text not null,
  id text primary key,
  directory text not null,
  hash bytea not null unique,
  created_by text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  last_used_at timestamptz,
  foreign key (parent, directory) references directory (parent, id)
);
comment on table scim_token is 'A bearer token of a directory: SHA-256 only. Several per directory, so that one can be replaced while the other still works.';
create index scim_token_directory on scim_token (parent, directory);
alter table scim_token enable row level security;
create policy scim_token_of_parent on scim_token to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert on scim_token to gatehouse_app;
grant update (revoked_at) on scim_token to gatehouse_app;

-- Who a bearer token is, before the parent is known. Notes the use, at most once a minute and without waiting for another node that does so.
create function lookup_scim_token(token_hash bytea, at timestamptz)
returns table (id text, directory text, parent text, org text, expires_at timestamptz, revoked_at timestamptz, directory_state text)
language plpgsql security definer set search_path = public as $$
begin
  update scim_token t set last_used_at = at
   where t.id = (select s.id from scim_token s
                  where s.hash = token_hash and s.revoked_at is null and (s.last_used_at is null or s.last_used_at <= at - interval '1 minute')
                    for update skip locked);
  return query
    select t.id, t.directory, t.parent, d.org, t.expires_at, t.revoked_at, d.state
      from scim_token t join directory d on d.parent = t.parent and d.id = t.directory
     where t.hash = token_hash;
end $$;
revoke all on function lookup_scim_token from public;
grant execute on function lookup_scim_token to gatehouse_app;

create table scim_user (
  parent text not null,
  id text primary key,
  directory text not null,
  attributes jsonb not null,
  user_name_key text not null collate "C",
  display_name_key text collate "C",
  external_id text collate "C",
  active boolean not null,
  user_id text,
  unlinked_because text check (unlinked_because in ('local_user', 'address_in_use', 'no_address')),
  suspended_here boolean not null default false,
  version int not null default 1,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  deleted_at timestamptz,
  unique (parent, id),
  foreign key (parent, directory) references directory (parent, id),
  foreign key (parent, user_id) references app_user (parent, id),
  check ((user_id is null) = (unlinked_because is not null))
);
comment on table scim_user is 'A person as a directory describes them; `attributes` is typed by the SCIM schema, the other columns are taken from it. A deleted row keeps only what recognizes the person when they come back.';
create unique index scim_user_name on scim_user (directory, user_name_key) where deleted_at is null;
create unique index scim_user_external on scim_user (directory, external_id) where deleted_at is null and external_id is not null;
create unique index scim_user_person on scim_user (user_id) where deleted_at is null and user_id is not null;
create index scim_user_order on scim_user (directory, id) where deleted_at is null;
create index scim_user_display on scim_user (directory, display_name_key) where deleted_at is null;
create index scim_user_link on scim_user (parent, external_id) where deleted_at is null and user_id is not null;
create index scim_user_gone on scim_user (directory, user_name_key) where deleted_at is not null;
create index scim_user_gone_external on scim_user (directory, external_id) where deleted_at is not null;
alter table scim_user enable row level security;
create policy scim_user_of_parent on scim_user to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, update on scim_user to gatehouse_app;

create table scim_email (
  parent text not null,
  directory text not null,
  scim_user text not null,
  position int not null,
  value_key text collate "C",
  type_key text collate "C",
  display_key text collate "C",
  is_primary boolean,
  primary key (scim_user, position),
  foreign key (parent, scim_user) references scim_user (parent, id)
);
comment on table scim_email is 'The e-mails of scim_user.attributes once more, one row each and case folded, so that a filter by e-mail has an index.';
create index scim_email_value on scim_email (directory, value_key);
alter table scim_email enable row level security;
create policy scim_email_of_parent on scim_email to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, delete on scim_email to gatehouse_app;

create table scim_group (
  parent text not null,
  id text primary key,
  directory text not null,
  display_name text not null,
  display_name_key text not null collate "C",
  external_id text collate "C",
  version int not null default 1,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  unique (parent, id),
  foreign key (parent, directory) references directory (parent, id)
);
comment on table scim_group is 'A group as a directory names it. Policy rules refer to its id.';
create unique index scim_group_name on scim_group (directory, display_name_key);
create unique index scim_group_external on scim_group (directory, external_id) where external_id is not null;
create index scim_group_order on scim_group (directory, id);
alter table scim_group enable row level security;
create policy scim_group_of_parent on scim_group to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, update, delete on scim_group to gatehouse_app;

create table scim_membership (
  parent text not null,
  group_id text not null,
  scim_user text not null,
  asserted_at timestamptz not null,
  primary key (group_id, scim_user),
  foreign key (parent, group_id) references scim_group (parent, id),
  foreign key (parent, scim_user) references scim_user (parent, id)
);
comment on table scim_membership is 'Who is in a group: a row each, so that two changes of different people never meet.';
create index scim_membership_user on scim_membership (scim_user, group_id);
alter table scim_membership enable row level security;
create policy scim_membership_of_parent on scim_membership to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, delete on scim_membership to gatehouse_app;
