-- Who becomes a member of which organization, with which role and seat, and why.
create table org_provisioning (
  parent text not null,
  org text primary key,
  mode text not null check (mode in ('login_only', 'jit_permissive', 'jit_advanced', 'scim_permissive', 'scim_advanced')),
  prefix text not null check (prefix ~ '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$'),
  domains text[] not null,
  version int not null,
  changed_at timestamptz not null,
  changed_by text not null,
  foreign key (parent, org) references org (parent, id)
);
comment on table org_provisioning is 'How people come into an org. No row: scim_permissive where it has a directory, login_only where it has none. domains: for whose addresses a sign-in may make an account. Readable in the whole parent, because a directory''s change can matter to a sister org.';
create index org_provisioning_parent on org_provisioning (parent, org);
alter table org_provisioning enable row level security;
create policy org_provisioning_read on org_provisioning for select to gatehouse_app using (parent = app_parent());
create policy org_provisioning_insert on org_provisioning for insert to gatehouse_app with check (parent = app_parent() and org = app_org());
create policy org_provisioning_update on org_provisioning for update to gatehouse_app using (parent = app_parent() and org = app_org()) with check (parent = app_parent() and org = app_org());
grant select, insert, update on org_provisioning to gatehouse_app;

create table group_mapping (
  org text not null references org,
  id text primary key,
  group_id text,
  name text collate "C",
  role text not null check (role in ('owner', 'admin', 'user')),
  seat_tier text,
  created_by text not null,
  created_at timestamptz not null,
  unique (org, id),
  check ((group_id is null) <> (name is null))
);
comment on table group_mapping is 'A group gives a role, and perhaps a tier of seat. By id, or by the exact name that an identity provider gives a group, seen yet or not. group_id has no foreign key: a group that is gone gives nothing, and is shown so.';
create unique index group_mapping_group on group_mapping (org, group_id) where group_id is not null;
create unique index group_mapping_name on group_mapping (org, name) where name is not null;
alter table group_mapping enable row level security;
create policy group_mapping_of_org on group_mapping to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, delete on group_mapping to gatehouse_app;

create table org_group (
  parent text not null references parent,
  id text primary key,
  org text,
  source text not null check (source in ('attribute', 'hand')),
  attribute text,
  name text not null collate "C",
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  unique (parent, id),
  foreign key (parent, org) references org (parent, id),
  check ((source = 'hand') = (org is not null)),
  check ((source = 'attribute') = (attribute is not null))
);
comment on table org_group is 'A group that no directory pushed: made by hand in an org, or the value of an attribute that an identity provider sent at a sign-in (then it is the parent''s).';
create unique index org_group_hand on org_group (org, lower(name)) where org is not null;
create unique index org_group_attribute on org_group (parent, attribute, name) where attribute is not null;
create index org_group_name on org_group (parent, name);
alter table org_group enable row level security;
create policy org_group_of_parent on org_group to gatehouse_app
  using (parent = app_parent() and (org is null or org = app_org())) with check (parent = app_parent() and (org is null or org = app_org()));
grant select, insert, update, delete on org_group to gatehouse_app;

create table org_group_member (
  parent text not null,
  org text,
  group_id text not null,
  user_id text not null,
  asserted_at timestamptz not null,
  primary key (group_id, user_id),
  foreign key (parent, group_id) references org_group (parent, id) on delete cascade,
  foreign key (parent, user_id) references app_user (parent, id)
);
comment on table org_group_member is 'Who is in an org_group: by hand, or as of the person''s latest sign-in. org is the group''s.';
create index org_group_member_user on org_group_member (user_id, group_id);
alter table org_group_member enable row level security;
create policy org_group_member_of_parent on org_group_member to gatehouse_app
  using (parent = app_parent() and (org is null or org = app_org())) with check (parent = app_parent() and (org is null or org = app_org()));
grant select, insert, update, delete on org_group_member to gatehouse_app;
-- Every group of a person, of whatever kind, is found by two index scans; these also find groups by name in the whole parent.
create index scim_group_named on scim_group (parent, display_name);
create index scim_user_account on scim_user (user_id, deleted_at) where user_id is not null;

create table member_seat (
  org text not null references org,
  member text primary key references member on delete cascade,
  user_id text not null,
  source text not null check (source in ('hand', 'directory', 'sign_in')),
  tier text,
  activated_at timestamptz,
  last_sign_in_at timestamptz,
  asserted_at timestamptz,
  unique (org, member)
);
comment on table member_seat is 'What provisioning knows of a member: where the membership came from, when the identity provider last stood behind it, and the seat, which is taken at the first sign-in. No row: added by hand, never signed in. Ends with the member.';
create index member_seat_taken on member_seat (org, tier) where activated_at is not null;
alter table member_seat enable row level security;
create policy member_seat_of_org on member_seat to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, update on member_seat to gatehouse_app;

create table seat_limit (
  org text not null references org,
  tier text not null,
  seats int not null check (seats >= 0),
  set_by text not null,
  set_at timestamptz not null,
  primary key (org, tier)
);
comment on table seat_limit is 'How many members may have a seat: in the whole org (tier *) or with one tier. No row: as many as come.';
alter table seat_limit enable row level security;
create policy seat_limit_of_org on seat_limit to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, update, delete on seat_limit to gatehouse_app;

create table provisioning_exempt (
  org text not null references org,
  user_id text not null references app_user,
  why text not null,
  set_by text not null,
  set_at timestamptz not null,
  primary key (org, user_id)
);
comment on table provisioning_exempt is 'People whom no identity provider may lower, remove or suspend: break-glass accounts. The primary owner needs no row.';
alter table provisioning_exempt enable row level security;
create policy provisioning_exempt_of_org on provisioning_exempt to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, update, delete on provisioning_exempt to gatehouse_app;

create table membership_tombstone (
  org text not null references org,
  user_id text not null,
  role text not null,
  cause text not null check (cause in ('hand', 'directory', 'unmapped')),
  at timestamptz not null,
  primary key (org, user_id)
);
comment on table membership_tombstone is 'Somebody left an org, and why. Keeps a sign-in from quietly bringing them back. Ignored while they are a member, overwritten when they leave again.';
alter table membership_tombstone enable row level security;
create policy membership_tombstone_of_org on membership_tombstone to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, update, delete on membership_tombstone to gatehouse_app;

-- INVARIANT (removed means removed): whoever deletes a member, by whatever way, leaves a tombstone. Provisioning says another cause after it.
create function member_left() returns trigger language plpgsql set search_path = public as $$
begin
  insert into membership_tombstone (org, user_id, role, cause, at) values (old.org, old.user_id, old.role, 'hand', now())
  on conflict (org, user_id) do update set role = excluded.role, cause = excluded.cause, at = excluded.at;
  return null;
end $$;
revoke all on function member_left from public;
create trigger member_left after delete on member for each row execute function member_left();

create table provisioning_removal (
  org text not null references org,
  id text primary key,
  directory text,
  entry text,
  group_id text,
  user_id text not null,
  kind text not null check (kind in ('disabled', 'deleted', 'unmapped', 'lowered')),
  state text not null check (state in ('done', 'held', 'applied', 'discarded', 'withdrawn')),
  at timestamptz not null,
  decided_at timestamptz,
  decided_by text,
  unique (org, id),
  check ((state in ('done', 'held')) = (decided_at is null))
);
comment on table provisioning_removal is 'What an identity provider took from people. done: at once. held: the brake found too much at once, and people wait for an owner to apply or discard. withdrawn: the identity provider took it back itself.';
create index provisioning_removal_window on provisioning_removal (org, directory, at) where state = 'done';
create unique index provisioning_removal_held on provisioning_removal (org, user_id) where state = 'held';
alter table provisioning_removal enable row level security;
create policy provisioning_removal_of_org on provisioning_removal to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, update on provisioning_removal to gatehouse_app;

create table provisioning_plan (
  org text not null references org,
  id text primary key,
  hash text not null,
  version int not null,
  target jsonb not null,
  summary jsonb not null,
  made_by text not null,
  made_at timestamptz not null,
  applied_at timestamptz,
  unique (org, id)
);
comment on table provisioning_plan is 'A change of mode, mappings, prefix or domains that somebody looked at. hash: over everything that it was computed from; it is applied only while that is still true.';
alter table provisioning_plan enable row level security;
create policy provisioning_plan_of_org on provisioning_plan to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on provisioning_plan to gatehouse_app;
grant update (applied_at) on provisioning_plan to gatehouse_app;

create table provisioning_plan_line (
  org text not null references org,
  plan text not null,
  user_id text not null,
  what text not null check (what in ('gains', 'loses', 'raised', 'lowered')),
  from_role text,
  to_role text,
  at_next_sign_in boolean not null,
  because text not null,
  primary key (org, plan, user_id),
  foreign key (org, plan) references provisioning_plan (org, id)
);
comment on table provisioning_plan_line is 'One person whom a plan touches.';
alter table provisioning_plan_line enable row level security;
create policy provisioning_plan_line_of_org on provisioning_plan_line to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on provisioning_plan_line to gatehouse_app;

create table identity_seen (
  parent text not null references parent,
  connection text not null,
  subject text not null,
  other_id text,
  email text,
  user_id text,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  primary key (parent, connection, subject),
  foreign key (parent, user_id) references app_user (parent, id)
);
comment on table identity_seen is 'How an identity provider named a person at a sign-in, let in or not: for comparing with how a directory names them. Decides nothing. other_id: Entra''s object id.';
create index identity_seen_email on identity_seen (parent, lower(email));
create index identity_seen_user on identity_seen (user_id) where user_id is not null;
alter table identity_seen enable row level security;
create policy identity_seen_of_parent on identity_seen to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, update on identity_seen to gatehouse_app;

-- A sign-in may make an account and its link now.
alter table identity_link drop constraint identity_link_made_by_check;
alter table identity_link add constraint identity_link_made_by_check check (made_by in ('directory', 'person', 'sign_in'));

-- Whether a member may enter an org that counts its seats: with a seat, as primary owner, or as a break-glass account. Runs as whoever asks.
create function has_seat(wanted_org text, wanted_member text) returns boolean language sql stable set search_path = public as $$
  select not exists (select from seat_limit l where l.org = wanted_org)
      or exists (select from member_seat s where s.org = wanted_org and s.member = wanted_member and s.activated_at is not null)
      or exists (select from member m where m.org = wanted_org and m.id = wanted_member
                  and (m.role = 'primary_owner' or exists (select from provisioning_exempt e where e.org = m.org and e.user_id = m.user_id)))
$$;
revoke all on function has_seat from public;
grant execute on function has_seat to gatehouse_app;

-- As in 0006-authorization.sql, and only where the person has a seat: nobody consents to an agent for an org that they may not enter.
create or replace function lookup_memberships_of_user(wanted_user text)
returns table (parent text, org text, org_name text, member text, user_id text, role text, state text)
language sql stable security definer set search_path = public as $$
  select o.parent, m.org, o.name, m.id, m.user_id, m.role, u.state
    from member m join org o on o.id = m.org join app_user u on u.id = m.user_id and u.parent = o.parent
   where m.user_id = wanted_user and has_seat(m.org, m.id)
   order by o.name, m.id
$$;

-- When a member last called a tool, for finding seats that nobody uses.
create index tool_call_of_member on tool_call (org, member, opened_at desc);
