-- Signing in by a link in a mail, where every organization of a person allows it.
alter table org_access add column mail_links boolean not null default false;
comment on column org_access.mail_links is 'Whether its people may sign in with a link that is mailed to them. Of a person''s orgs all must allow it.';

create table mail_link (
  parent text not null references parent,
  id text primary key,
  user_id text not null,
  org text not null,
  browser_hash bytea not null,
  return_to text not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  unique (parent, id),
  foreign key (parent, user_id) references app_user (parent, id)
);
comment on table mail_link is 'A link in a mail that signs in its user once, in the browser that asked for it. The secret in the link is derived from the id and is nowhere kept. org: which organization''s mail it is. browser_hash: SHA-256 of the asking browser''s cookie.';
create index mail_link_old on mail_link (parent, expires_at);
alter table mail_link enable row level security;
create policy mail_link_of_parent on mail_link to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, delete on mail_link to gatehouse_app;
grant update (used_at) on mail_link to gatehouse_app;
insert into merge_rule (tab, col, what, scope, within) values ('mail_link', 'parent', 'ends', 'user', 'user_id');

create table mail_link_ask (
  scope text not null check (scope in ('address', 'client')),
  hash bytea not null,
  hour timestamptz not null,
  n int not null,
  primary key (scope, hash, hour)
);
comment on table mail_link_ask is 'How often a link was asked for within an hour, per e-mail address and per client address: keyed hashes, whether there is such an account or not. Only count_mail_link_ask touches it.';
create index mail_link_ask_old on mail_link_ask (hour);
alter table mail_link_ask enable row level security;

-- For finding accounts by address before the parent is known.
create index app_user_by_email on app_user (email_key);

-- Counts one question for a link, forgets those of yesterday, and says how many there were this hour. The same for every address.
create function count_mail_link_ask(address bytea, client bytea, at timestamptz) returns table (of_address int, of_client int)
language plpgsql volatile security definer set search_path = public as $$
begin
  delete from mail_link_ask a where a.hour < at - interval '1 day';
  insert into mail_link_ask as a (scope, hash, hour, n) values ('client', client, date_trunc('hour', at, 'UTC'), 1)
    on conflict (scope, hash, hour) do update set n = a.n + 1 returning a.n into of_client;
  insert into mail_link_ask as a (scope, hash, hour, n) values ('address', address, date_trunc('hour', at, 'UTC'), 1)
    on conflict (scope, hash, hour) do update set n = a.n + 1 returning a.n into of_address;
  return next;
end $$;
revoke all on function count_mail_link_ask from public;
grant execute on function count_mail_link_ask to gatehouse_app;

-- INVARIANT (strictest wins): one session opens all orgs of a person, so all must allow mail links. Runs as whoever calls it.
create function mail_link_org(of_parent text, of_user text) returns text
language sql stable set search_path = public as $$
  select min(o.id) from member m join org o on o.id = m.org and o.parent = of_parent left join org_access a on a.org = m.org
   where m.user_id = of_user having bool_and(coalesce(a.mail_links, false))
$$;
revoke all on function mail_link_org from public;

-- The same for a user of this transaction's parent.
create function mail_link_org_of_user(wanted text) returns text
language sql stable security definer set search_path = public as $$ select mail_link_org(app_parent(), wanted) $$;
revoke all on function mail_link_org_of_user from public;
grant execute on function mail_link_org_of_user to gatehouse_app;

-- The active accounts of an address that may sign in by mail link, and the org whose mail it is. Only the job that mails asks this.
create function lookup_mail_link_accounts(address text) returns table (parent text, user_id text, org text)
language sql stable security definer set search_path = public as $$
  select u.parent, u.id, o.org from app_user u cross join lateral (select mail_link_org(u.parent, u.id) as org) o
   where u.email_key = lower(address) and u.state = 'active' and o.org is not null
   order by u.id limit 5
$$;
revoke all on function lookup_mail_link_accounts from public;
grant execute on function lookup_mail_link_accounts to gatehouse_app;

-- The parent of a link whose id somebody showed with its proof.
create function lookup_mail_link(wanted text) returns text
language sql stable security definer set search_path = public as $$ select l.parent from mail_link l where l.id = wanted $$;
revoke all on function lookup_mail_link from public;
grant execute on function lookup_mail_link to gatehouse_app;

select defer_parent_references();
