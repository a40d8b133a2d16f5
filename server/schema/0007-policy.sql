-- Who may use which tool, and what content may pass.
create table rule (
  org text not null references org,
  id text primary key,
  name text not null,
  effect text not null check (effect in ('allow', 'forbid')),
  asks text check (asks in ('never', 'always')),
  who_kind text not null check (who_kind in ('everyone', 'group', 'user')),
  who_id text,
  connector text,
  tool_classes text[] check (tool_classes <@ array['read', 'write', 'destructive'] and cardinality(tool_classes) > 0),
  tool_names text[] check (cardinality(tool_names) > 0),
  created_by text not null,
  created_at timestamptz not null,
  removed_by text,
  removed_at timestamptz,
  unique (org, id),
  check ((effect = 'allow') = (asks is not null)),
  check ((who_kind = 'everyone') = (who_id is null)),
  check ((tool_classes is null) <> (tool_names is null)),
  -- A name means a tool only within a connector: any other connector could offer a tool of the same name and be allowed with it.
  check (effect = 'forbid' or tool_names is null or connector is not null),
  check ((removed_at is null) = (removed_by is null))
);
comment on table rule is 'A sentence of an admin about who may use which tools; compiled to Cedar when it is loaded. `connector` null means every connector. Removed rules stay, so that the log can be read. `who_id` and `connector` have no foreign key: a rule about what is gone applies to nobody.';
create unique index rule_name on rule (org, lower(name)) where removed_at is null;
create index rule_live on rule (org, id) where removed_at is null;
alter table rule enable row level security;
create policy rule_of_org on rule to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on rule to gatehouse_app;
grant update (removed_by, removed_at) on rule to gatehouse_app;

create table dlp_policy (
  org text not null references org,
  detector text not null,
  to_tool text not null check (to_tool in ('allow', 'flag', 'block')),
  to_user text not null check (to_user in ('allow', 'flag', 'block')),
  set_by text not null,
  set_at timestamptz not null,
  primary key (org, detector)
);
comment on table dlp_policy is 'What happens in an org to content in which a detector finds something, each way. No row: the detector''s default, which is to block.';
alter table dlp_policy enable row level security;
create policy dlp_policy_of_org on dlp_policy to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on dlp_policy to gatehouse_app;
grant update (to_tool, to_user, set_by, set_at) on dlp_policy to gatehouse_app;
