-- How connections stand: who was told of what, and the daily look at the accounts of organizations.

create table connection_alert (
  org text not null,
  about text not null,
  clock text not null check (clock in ('refresh', 'idle', 'given', 'app', 'failed', 'check', 'many')),
  ends_at timestamptz not null,
  step int not null check (step in (0, 1, 3, 7, 14)),
  told_at timestamptz not null,
  over_at timestamptz,
  digest text,
  primary key (org, about, clock, ends_at, step),
  foreign key (org) references org (id),
  check (step = 0 or clock in ('refresh', 'idle', 'given', 'app'))
);
comment on table connection_alert is 'What was told of a connection, or of the app of a connector (about is its id), once each: clock is what ends, ends_at when, step how many days ahead (0: it has ended). failed, check and many (several of a connector at once) are troubles without an end: ends_at is when they were found, over_at when they were over. digest: the mail to administrators that tells it, or tells that it is over.';
create unique index connection_alert_trouble on connection_alert (org, about, clock) where clock in ('failed', 'check') and over_at is null;
create index connection_alert_digest on connection_alert (org, digest);
alter table connection_alert enable row level security;
create policy connection_alert_of_org on connection_alert to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on connection_alert to gatehouse_app;
grant update (over_at, digest) on connection_alert to gatehouse_app;

create table connection_check (
  org text not null,
  connection text not null,
  slot date not null,
  begun_at timestamptz not null,
  ended_at timestamptz,
  why text,
  says text,
  primary key (org, connection),
  foreign key (org, connection) references connection (org, id),
  check (ended_at is not null or (why is null and says is null)),
  check ((why is null) = (says is null))
);
comment on table connection_check is 'The last daily look at an account of the org, with one call: which day''s (slot), whoever of the nodes took it. why and says: what was wrong; null: nothing, or it has not ended.';
alter table connection_check enable row level security;
create policy connection_check_of_org on connection_check to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on connection_check to gatehouse_app;
grant update (slot, begun_at, ended_at, why, says) on connection_check to gatehouse_app;

-- Where there is anything to watch.
create function lookup_connected_orgs() returns table (parent text, org text)
language sql stable security definer set search_path = public as $$
  select o.parent, o.id from org o
   where exists (select from connection c where c.org = o.id and c.ended_at is null)
      or exists (select from connector_app a where a.org = o.id)
   order by o.id
$$;
revoke all on function lookup_connected_orgs from public;
grant execute on function lookup_connected_orgs to gatehouse_app;

-- For the figures of a deployment: how many connections stand how, and when the first of those that stand well ends.
create function lookup_connection_figures() returns table (state text, n int, soonest timestamptz)
language sql stable security definer set search_path = public as $$
  select c.state, count(*)::int, min(least(c.refresh_expires_at, c.idle_expires_at, c.given_ends_at)) from connection c where c.ended_at is null group by c.state
$$;
revoke all on function lookup_connection_figures from public;
grant execute on function lookup_connection_figures to gatehouse_app;

select defer_parent_references();
