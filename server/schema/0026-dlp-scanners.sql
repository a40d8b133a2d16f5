-- Scanners of other makers that are asked about content beside our own detectors.
create table dlp_scanner (
  org text not null references org,
  id text primary key,
  kind text not null check (kind in ('webhook', 'purview', 'symantec', 'forcepoint')),
  name text not null,
  config jsonb not null,
  allow_private boolean not null,
  phases text[] not null check (phases <@ array['arguments', 'result', 'prompt', 'output', 'file_in', 'file_out'] and cardinality(phases) > 0),
  mode text not null check (mode in ('shadow', 'enforce')),
  percentage int not null check (percentage between 0 and 100),
  fail_mode text check (fail_mode in ('open', 'closed')),
  timeout_ms int not null check (timeout_ms between 1 and 10000),
  excluded_roles text[] not null,
  excluded_groups text[] not null,
  state text not null check (state in ('on', 'off')),
  secret bytea,
  secret_generation int not null check (secret_generation >= 0),
  secret_since timestamptz,
  previous_secret bytea,
  previous_until timestamptz,
  created_by text not null,
  created_at timestamptz not null,
  removed_by text,
  removed_at timestamptz,
  unique (org, id),
  check ((secret is null) = (secret_since is null)),
  check (secret is null or secret_generation > 0),
  check ((previous_secret is null) = (previous_until is null)),
  check (previous_secret is null or (secret is not null and secret_generation > 1)),
  check ((removed_at is null) = (removed_by is null)),
  -- A scanner that is gone keeps its name for the log, and nothing that opens a door.
  check (removed_at is null or (secret is null and previous_secret is null))
);
comment on table dlp_scanner is 'A scanner outside of Gatehouse that is asked about content. config: where it is and how it is spoken to, by kind, without secrets. secret: sealed for this row at secret_generation; the one before (generation - 1) counts until previous_until, so that a rotation refuses nobody. fail_mode null: closed for what writes or leaves, open with an alert for what is read.';
create unique index dlp_scanner_name on dlp_scanner (org, lower(name)) where removed_at is null;
alter table dlp_scanner enable row level security;
create policy dlp_scanner_of_org on dlp_scanner to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on dlp_scanner to gatehouse_app;
grant update (name, config, allow_private, phases, mode, percentage, fail_mode, timeout_ms, excluded_roles, excluded_groups, state,
  secret, secret_generation, secret_since, previous_secret, previous_until, removed_by, removed_at) on dlp_scanner to gatehouse_app;
