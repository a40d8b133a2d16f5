-- What the SCIM server remembers of its requests, how a directory is treated, a second way to get a token, and counts that need no scan.
alter table directory
  add column profile text not null default 'compat' check (profile in ('compat', 'strict')),
  add column domains text[] not null default '{}',
  add column domain_policy text not null default 'accept' check (domain_policy in ('accept', 'hold', 'refuse')),
  add column extensions jsonb not null default '[]',
  add column rate int not null default 200 check (rate between 1 and 100000),
  add column journal text not null default 'changes' check (journal in ('changes', 'all')),
  add column journal_days int not null default 30 check (journal_days between 1 and 365);

alter table scim_user drop constraint scim_user_unlinked_because_check;
alter table scim_user add constraint scim_user_unlinked_because_check
  check (unlinked_because in ('local_user', 'address_in_use', 'no_address', 'domain_held'));
create index scim_user_unlinked on scim_user (directory, id) where deleted_at is null and user_id is null;
create index scim_user_former on scim_user (parent, external_id) where deleted_at is not null and user_id is not null;

-- Accounts are looked up by address with every person that a directory adds. The address folded as a column of its own, because under row-level
-- security an index over a function that is not known to be leak-proof (lower) is not used.
alter table app_user add column email_key text collate "C" generated always as (lower(email)) stored;
drop index app_user_email;
create unique index app_user_email on app_user (parent, email_key);

create table scim_client (
  parent text not null,
  id text primary key,
  directory text not null,
  hash bytea not null,
  created_by text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  last_used_at timestamptz,
  unique (parent, id),
  foreign key (parent, directory) references directory (parent, id)
);
comment on table scim_client is 'An OAuth client of a directory (client credentials): SHA-256 of its secret only. It trades the secret for tokens of an hour, which end with it.';
create index scim_client_directory on scim_client (parent, directory);
alter table scim_client enable row level security;
create policy scim_client_of_parent on scim_client to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert on scim_client to gatehouse_app;
grant update (revoked_at, last_used_at) on scim_client to gatehouse_app;

alter table scim_token add column client text;
alter table scim_token add foreign key (parent, client) references scim_client (parent, id);
create index scim_token_client on scim_token (client, expires_at) where client is not null;

-- Who a bearer token is and how its directory is treated, before the parent is known. Notes the use, at most once a minute and without
-- waiting for another node that does so.
drop function lookup_scim_token;
create function lookup_scim_token(token_hash bytea, at timestamptz)
returns table (id text, directory text, parent text, org text, expires_at timestamptz, revoked_at timestamptz, directory_state text, settings jsonb)
language plpgsql security definer set search_path = public as $$
begin
  return query
    select t.id, t.directory, t.parent, d.org, t.expires_at, least(t.revoked_at, c.revoked_at), d.state,
           jsonb_build_object('profile', d.profile, 'domains', d.domains, 'domainPolicy', d.domain_policy, 'extensions', d.extensions,
                              'rate', d.rate, 'journal', d.journal, 'journalDays', d.journal_days)
      from scim_token t join directory d on d.parent = t.parent and d.id = t.directory
      left join scim_client c on c.id = t.client
     where t.hash = token_hash;
  if exists (select from scim_token t where t.hash = token_hash and t.revoked_at is null
                and (t.last_used_at is null or t.last_used_at <= at - interval '1 minute')) then
    update scim_token t set last_used_at = at
     where t.id = (select s.id from scim_token s where s.hash = token_hash for update skip locked);
  end if;
end $$;
revoke all on function lookup_scim_token from public;
grant execute on function lookup_scim_token to gatehouse_app;

-- Whose client this is, and the hash of its secret, for the token endpoint. The caller compares; the hash of 256 random bits opens nothing.
create function lookup_scim_client(wanted text)
returns table (directory text, parent text, org text, hash bytea, expires_at timestamptz, revoked_at timestamptz, directory_state text)
language sql stable security definer set search_path = public as $$
  select c.directory, c.parent, d.org, c.hash, c.expires_at, c.revoked_at, d.state
    from scim_client c join directory d on d.parent = c.parent and d.id = c.directory
   where c.id = wanted
$$;
revoke all on function lookup_scim_client from public;
grant execute on function lookup_scim_client to gatehouse_app;

create table scim_journal (
  parent text not null,
  directory text not null,
  id text not null,
  at timestamptz not null,
  request text not null,
  operation int,
  token text not null,
  method text not null,
  path text not null,
  resource text,
  people text[] not null,
  status int not null,
  ms real not null,
  body text,
  bytes int not null,
  meant json not null,
  changed json not null,
  problem json,
  primary key (directory, id)
);
comment on table scim_journal is 'Requests of a directory as they came (secrets taken out), what they meant, what they changed, how they ended. A change is noted in its own transaction, the rest in batches. Kept for directory.journal_days.';
create index scim_journal_resource on scim_journal (directory, resource, id) where resource is not null;
create index scim_journal_refused on scim_journal (directory, id) where status >= 400;
alter table scim_journal enable row level security;
create policy scim_journal_of_parent on scim_journal to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert on scim_journal to gatehouse_app;

-- Forgets: entries past their directory's time or beyond its newest `keep`, and tokens of clients that ended a day ago. At most `most`
-- entries of each directory at once. Definer, because the application may not delete an entry otherwise.
create function prune_scim_journal(at timestamptz, keep int, most int) returns int
language plpgsql security definer set search_path = public as $$
declare
  d record;
  edge text;
  gone int;
  total int := 0;
begin
  if keep < 1000 then raise exception 'prune_scim_journal: at least 1000 entries are kept'; end if;
  for d in select directory.id, directory.journal_days from directory loop
    select j.id into edge from scim_journal j where j.directory = d.id order by j.id desc offset keep limit 1;
    delete from scim_journal j
     where j.directory = d.id
       and j.id in (select o.id from scim_journal o where o.directory = d.id order by o.id limit most)
       and (j.at < prune_scim_journal.at - make_interval(days => d.journal_days) or j.id <= edge);
    get diagnostics gone = row_count;
    total := total + gone;
  end loop;
  delete from scim_token t where t.client is not null and t.expires_at < prune_scim_journal.at - interval '1 day';
  return total;
end $$;
revoke all on function prune_scim_journal from public;
grant execute on function prune_scim_journal to gatehouse_app;

-- How many live users and groups a directory has, in several rows that are added up, so that two who add at once seldom meet.
create table scim_count (
  parent text not null,
  directory text not null,
  slot int not null,
  users bigint not null default 0,
  groups bigint not null default 0,
  primary key (directory, slot)
) with (fillfactor = 50);
comment on table scim_count is 'Live users and groups of each directory, kept by triggers; the sum over its slots counts. A full list is counted here and not by looking at every row.';
alter table scim_count enable row level security;
create policy scim_count_of_parent on scim_count to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, update on scim_count to gatehouse_app;

create function scim_user_counted() returns trigger language plpgsql set search_path = public as $$
begin
  if tg_op = 'INSERT' then
    insert into scim_count as c (parent, directory, slot, users)
    select n.parent, n.directory, pg_backend_pid() % 16, count(*) from new_rows n where n.deleted_at is null group by 1, 2
    on conflict (directory, slot) do update set users = c.users + excluded.users;
  else
    insert into scim_count as c (parent, directory, slot, users)
    values (new.parent, new.directory, pg_backend_pid() % 16, (new.deleted_at is null)::int - (old.deleted_at is null)::int)
    on conflict (directory, slot) do update set users = c.users + excluded.users;
  end if;
  return null;
end $$;
create trigger scim_user_added after insert on scim_user referencing new table as new_rows for each statement execute function scim_user_counted();
create trigger scim_user_ended after update of deleted_at on scim_user for each row
  when (old.deleted_at is distinct from new.deleted_at) execute function scim_user_counted();

create function scim_group_counted() returns trigger language plpgsql set search_path = public as $$
begin
  if tg_op = 'INSERT' then
    insert into scim_count as c (parent, directory, slot, groups)
    select n.parent, n.directory, pg_backend_pid() % 16, count(*) from new_rows n group by 1, 2
    on conflict (directory, slot) do update set groups = c.groups + excluded.groups;
  else
    insert into scim_count as c (parent, directory, slot, groups)
    select o.parent, o.directory, pg_backend_pid() % 16, - count(*) from old_rows o group by 1, 2
    on conflict (directory, slot) do update set groups = c.groups + excluded.groups;
  end if;
  return null;
end $$;
create trigger scim_group_added after insert on scim_group referencing new table as new_rows for each statement execute function scim_group_counted();
create trigger scim_group_ended after delete on scim_group referencing old table as old_rows for each statement execute function scim_group_counted();

insert into scim_count (parent, directory, slot, users, groups)
select d.parent, d.id, 0,
       (select count(*) from scim_user u where u.directory = d.id and u.deleted_at is null),
       (select count(*) from scim_group g where g.directory = d.id)
  from directory d;

-- Versions in several rows, for a directory that sends a thousand changes a second. One row per scope would make every change of a parent wait
-- for the commit of the one before, disk and all; a change counts up the row of its own slot now, and the version is the sum.
create table scope_bump (
  scope text not null,
  slot int not null,
  version bigint not null default 1,
  told_at timestamptz not null,
  primary key (scope, slot)
) with (fillfactor = 50);
comment on table scope_bump is 'Counts of changes per parent and org, spread over slots; with scope_version the version that caches are valid for. told_at: when a change of this slot last told the nodes at once.';
alter table scope_bump enable row level security;
create policy scope_bump_read on scope_bump for select to gatehouse_app using (true);
grant select on scope_bump to gatehouse_app;

-- A notification takes a lock that all committing transactions of the database queue at, so within a tenth of a second a slot tells once; what
-- is not told is seen by the nodes' next question (kernel/versions.ts asks every 0.4 s, and trusts an answer for a second).
create or replace function bump_version(parent text, org text) returns void language plpgsql security definer set search_path = public as $$
declare
  s text;
  t timestamptz;
  tell boolean;
begin
  if parent is distinct from app_parent() or org is distinct from app_org() then
    raise exception 'bump_version: not the scope of this transaction';
  end if;
  foreach s in array array_remove(array[parent, org], null) loop
    t := clock_timestamp();
    insert into scope_bump as b (scope, slot, told_at) values (s, pg_backend_pid() % 16, t)
    on conflict (scope, slot) do update
      set version = b.version + 1, told_at = case when b.told_at < t - interval '100 ms' then t else b.told_at end
    returning told_at = t into tell;
    if tell then perform pg_notify('gatehouse_version', s); end if;
  end loop;
end $$;
