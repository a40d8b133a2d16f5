-- Mail to people of an organization: an outbox that is written with the change it tells of.
create table message (
  org text not null references org,
  id text primary key,
  user_id text not null,
  kind text not null,
  data jsonb not null,
  state text not null check (state in ('queued', 'sent', 'not_sent')),
  why text check (why in ('no_smtp', 'too_many', 'no_address', 'suspended', 'gone', 'outdated', 'refused', 'given_up')),
  attempts int not null default 0,
  created_at timestamptz not null,
  settled_at timestamptz,
  unique (org, id),
  check ((state = 'queued') = (settled_at is null)),
  check ((state = 'not_sent') = (why is not null))
);
comment on table message is 'Something to tell one member: a kind and ids, no words; the words are made when it is sent. Queued with the change that it tells of. not_sent says why. user_id has no foreign key: the row outlives the membership.';
create index message_listed on message (org, id desc);
create index message_recent on message (org, user_id, created_at);
alter table message enable row level security;
create policy message_of_org on message to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on message to gatehouse_app;
grant update (state, why, attempts, settled_at) on message to gatehouse_app;
