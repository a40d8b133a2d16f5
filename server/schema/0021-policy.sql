-- Rules with conditions and approvers, controls, Cedar by experts, and the versions of all of them.

alter table rule
  add column conditions jsonb not null default '[]',
  add column approver_kind text check (approver_kind in ('deciders', 'manager', 'self', 'group', 'user')),
  add column approver_id text,
  add column second_person boolean,
  add column desktop_only boolean,
  add column fresh boolean,
  add column since int not null default 0,
  add column until int;
-- What was removed before there were versions was never part of one.
update rule set until = 0 where removed_at is not null;
update rule set approver_kind = 'deciders', second_person = true, desktop_only = false, fresh = false where asks = 'always';
alter table rule
  drop constraint rule_effect_check,
  add constraint rule_effect_check check (effect in ('allow', 'ask', 'forbid')),
  add check ((asks is not distinct from 'always' or effect = 'ask') = (approver_kind is not null)),
  add check ((approver_kind in ('group', 'user')) = (approver_id is not null)),
  add check ((approver_kind is null) = (second_person is null) and (approver_kind is null) = (desktop_only is null) and (approver_kind is null) = (fresh is null)),
  add check ((until is null) = (removed_at is null)),
  -- A rule that comes back with an old version is the same rule with another span.
  drop constraint rule_pkey,
  drop constraint rule_org_id_key,
  add primary key (org, id, since);
comment on table rule is 'A sentence of an admin about who may use which tools (ask: what others let them use waits for a yes all the same); compiled to Cedar when it is loaded. In force from the version `since` until before the version `until`. `connector` null means every connector. Removed rules stay, so that the log can be read. `who_id`, `approver_id` and `connector` have no foreign key: a rule about what is gone applies to nobody.';
grant update (until) on rule to gatehouse_app;
insert into merge_rule (tab, col, what, scope, within) values
  ('rule', 'approver_id', 'person', 'org', 'org'),
  ('rule', 'approver_id', 'group', 'org', 'org');

create table policy_setting (
  org text not null references org,
  mode text not null check (mode in ('regulated', 'open')),
  default_access text not null check (default_access in ('off', 'read', 'read_write')),
  time_zone text not null,
  set_by text not null,
  set_at timestamptz not null,
  since int not null,
  until int,
  primary key (org, since),
  check ((mode = 'regulated') = (default_access = 'off'))
);
comment on table policy_setting is 'What holds in an org where nothing else is said, and by whose clock rules speak of time. No row: regulated, which is everything off until it is allowed, and UTC. In force from the version since until before the version until.';
create unique index policy_setting_live on policy_setting (org) where until is null;
alter table policy_setting enable row level security;
create policy policy_setting_of_org on policy_setting to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on policy_setting to gatehouse_app;
grant update (until) on policy_setting to gatehouse_app;

create table policy_control (
  org text not null references org,
  id text not null,
  who_kind text not null check (who_kind in ('everyone', 'group', 'user')),
  who_id text,
  connector text,
  access text not null check (access in ('blocked', 'off', 'read', 'read_write')),
  set_by text not null,
  set_at timestamptz not null,
  since int not null,
  until int,
  primary key (org, id, since),
  check ((who_kind = 'everyone') = (who_id is null)),
  check (who_kind = 'everyone' or access <> 'off')
);
comment on table policy_control is 'Which access everyone, a group or a person has to a connector (null: to every one) without any rule. blocked: none, whatever a rule says; off: none but by rules. In force from the version since until before the version until. who_id and connector have no foreign key: a control of what is gone does nothing.';
create unique index policy_control_live on policy_control (org, coalesce(connector, ''), who_kind, coalesce(who_id, '')) where until is null;
alter table policy_control enable row level security;
create policy policy_control_of_org on policy_control to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on policy_control to gatehouse_app;
grant update (until) on policy_control to gatehouse_app;
insert into merge_rule (tab, col, what, scope, within) values
  ('policy_control', 'who_id', 'person', 'org', 'org'),
  ('policy_control', 'who_id', 'group', 'org', 'org');

create table cedar_policy (
  org text not null references org,
  id text not null,
  name text not null,
  cedar text not null,
  set_by text not null,
  set_at timestamptz not null,
  since int not null,
  until int,
  primary key (org, id, since)
);
comment on table cedar_policy is 'A policy that an expert wrote in Cedar, validated strictly when it was saved. In force from the version since until before the version until.';
create unique index cedar_policy_live on cedar_policy (org, lower(name)) where until is null;
alter table cedar_policy enable row level security;
create policy cedar_policy_of_org on cedar_policy to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on cedar_policy to gatehouse_app;
grant update (until) on cedar_policy to gatehouse_app;

create table policy_version (
  org text not null references org,
  number int not null check (number > 0),
  hash text not null,
  kind text not null,
  about text,
  restored int,
  reason text,
  made_by text not null,
  made_at timestamptz not null,
  primary key (org, number)
);
comment on table policy_version is 'One state of the policies of an org: hash names exactly what they said, kind and about what was changed, restored which version it brought back. What was in it are the rules, settings, controls and Cedar with since <= number and until null or > number. Version 0 is what was there before the first.';
alter table policy_version enable row level security;
create policy policy_version_of_org on policy_version to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on policy_version to gatehouse_app;

-- As in 0017-merges.sql, but a group goes over wherever merge_rule says that one may stand.
create or replace function carry_attribute_groups(wanted text, from_parent text, to_parent text, orgs text[], users text[], was text[], becomes text[])
returns void language plpgsql set search_path = public as $$
declare
  g record;
  r record;
  target text;
  named boolean;
begin
  set constraints all deferred;
  for g in select * from org_group x where x.parent = from_parent and x.attribute is not null order by x.id loop
    named := exists (select from org_group_member m where m.group_id = g.id and (m.user_id = any(users) or m.user_id = any(was)));
    for r in select * from merge_rule where what = 'group' loop
      execute format('select $1 or exists (select from %I t where t.%I = $2 and t.%I = any($3))', r.tab, r.col, r.within)
        into named using named, g.id, orgs;
    end loop;
    continue when not named;
    select x.id into target from org_group x where x.parent = to_parent and x.attribute = g.attribute and x.name = g.name;
    if target is null then
      target := 'grp_' || replace(gen_random_uuid()::text, '-', '');
      insert into org_group (parent, id, source, attribute, name, first_seen_at, last_seen_at)
      values (to_parent, target, 'attribute', g.attribute, g.name, g.first_seen_at, g.last_seen_at);
      insert into merge_moved (parent, merge, kind, id) values (from_parent, wanted, 'group_made', target);
    end if;
    with gone as (delete from org_group_member m where m.group_id = g.id and m.user_id = any(users) returning m.user_id, m.asserted_at)
    insert into org_group_member (parent, group_id, user_id, asserted_at) select to_parent, target, gone.user_id, gone.asserted_at from gone
    on conflict do nothing;
    with copied as (
      insert into org_group_member (parent, group_id, user_id, asserted_at)
      select to_parent, target, p.becomes, m.asserted_at
        from org_group_member m join unnest(was, becomes) as p(was, becomes) on p.was = m.user_id where m.group_id = g.id
      on conflict do nothing returning user_id)
    insert into merge_moved (parent, merge, kind, id, other) select from_parent, wanted, 'group_joined', target, copied.user_id from copied
    on conflict do nothing;
    for r in select * from merge_rule where what = 'group' loop
      execute format('update %I t set %I = $1 where t.%I = $2 and t.%I = any($3)', r.tab, r.col, r.col, r.within) using target, g.id, orgs;
    end loop;
  end loop;
end $$;
