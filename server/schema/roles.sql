-- Run once per PostgreSQL cluster by an administrator (the embedded PostgreSQL does it by itself). Safe to run again.
-- Who may do what is explained in docs/trust.md. Set the passwords of the two logins afterwards.
do $$
declare r text;
begin
  -- Owns the schema; used only to migrate.
  if not exists (select from pg_roles where rolname = 'gatehouse_owner') then create role gatehouse_owner login; end if;
  -- The running server's login. It has no rights of its own and takes on one of the four roles below per connection.
  if not exists (select from pg_roles where rolname = 'gatehouse') then create role gatehouse login noinherit; end if;
  foreach r in array array['gatehouse_app', 'gatehouse_sequencer', 'gatehouse_oauth', 'gatehouse_worker'] loop
    if not exists (select from pg_roles where rolname = r) then execute format('create role %I nologin', r); end if;
    execute format('grant %I to gatehouse', r);
  end loop;
end $$;
