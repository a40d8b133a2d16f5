-- Reviews belong to definitions, not to names: every definition that was ever seen is kept with what a reviewer said about it, so that one
-- that comes back brings its review with it.
create table tool_definition (
  org text not null,
  connector text not null,
  name text not null,
  pin text not null check (pin ~ '^[0-9a-f]{64}$'),
  definition text not null,
  whole text not null,
  first_seen timestamptz not null,
  verdict text check (verdict in ('accepted', 'closed')),
  class text check (class in ('read', 'write', 'destructive')),
  projection jsonb not null default '[]',
  stricter text,
  reviewed_by text,
  reviewed_at timestamptz,
  primary key (org, connector, name, pin),
  foreign key (org, connector) references connector (org, id),
  -- Instructions do nothing, so they have no class.
  check ((coalesce(verdict, '') = 'accepted' and name <> '@instructions') = (class is not null)),
  check ((verdict is null) = (reviewed_by is null) and (verdict is null) = (reviewed_at is null))
);
comment on table tool_definition is 'A definition of a tool (or, as @instructions, what a connector tells clients) that was seen at some time. definition: canonical text of what the pin covers; whole: everything that came with it. verdict: what a reviewer said; class, projection and stricter (a JSON Schema) bind calls while this is the definition. Older unreviewed ones of a tool that keeps changing are forgotten.';
alter table tool_definition enable row level security;
create policy tool_definition_of_org on tool_definition to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, delete on tool_definition to gatehouse_app;
grant update (verdict, class, projection, stricter, reviewed_by, reviewed_at) on tool_definition to gatehouse_app;

insert into tool_definition (org, connector, name, pin, definition, whole, first_seen)
  select org, connector, name, pin, definition, definition, first_seen from tool where reviewed_pin is distinct from pin;
insert into tool_definition (org, connector, name, pin, definition, whole, first_seen, verdict, class, reviewed_by, reviewed_at)
  select org, connector, name, reviewed_pin, reviewed_definition, reviewed_definition, first_seen, 'accepted', class, reviewed_by, reviewed_at
    from tool where reviewed_pin is not null;

-- reviewed_pin is the newest accepted definition, or the accepted one that is offered now; state still follows from the pins.
alter table tool drop column definition, drop column class, drop column reviewed_definition, drop column reviewed_by, drop column reviewed_at;
alter table tool add foreign key (org, connector, name, pin) references tool_definition (org, connector, name, pin);
alter table tool add foreign key (org, connector, name, reviewed_pin) references tool_definition (org, connector, name, pin);
comment on table tool is 'One callable of a connector, or its @instructions: the pin of the definition as last seen and of the one that a reviewer accepted. Only state reviewed is shown or callable.';
create index tool_waiting on tool (org, connector, name) where state in ('quarantined', 'changed');

create table tool_sighting (
  org text not null,
  connector text not null,
  n bigint generated always as identity,
  name text not null,
  what text not null check (what in ('first_seen', 'changed', 'removed', 'came_back')),
  pin text not null,
  at timestamptz not null,
  primary key (org, connector, n),
  foreign key (org, connector, name) references tool (org, connector, name)
);
comment on table tool_sighting is 'What happened to a tool''s definition at the upstream, in order: first seen, changed (pin: to what), removed (pin: which), came back.';
create index tool_sighting_of_tool on tool_sighting (org, connector, name, n desc);
alter table tool_sighting enable row level security;
create policy tool_sighting_of_org on tool_sighting to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on tool_sighting to gatehouse_app;

create table tool_review_settings (
  org text primary key references org,
  accept_cosmetic boolean not null,
  set_by text not null,
  set_at timestamptz not null
);
comment on table tool_review_settings is 'Whether a definition that differs from its reviewed one in title and icons only keeps its review. No row: it waits like any other.';
alter table tool_review_settings enable row level security;
create policy tool_review_settings_of_org on tool_review_settings to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, update on tool_review_settings to gatehouse_app;
