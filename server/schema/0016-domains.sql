-- Domains that a parent proves by a DNS record, what was seen at each check, and the people whose addresses lie in them.
create table domain (
  parent text not null references parent,
  id text primary key,
  name text not null check (name = lower(name) and length(name) between 3 and 200),
  shown text not null,
  token text not null check (token ~ '^[0-9a-f]{32}$'),
  issued_to text,
  include_subdomains boolean not null,
  home_org text,
  added_at timestamptz not null,
  state text not null check (state in ('pending', 'verified', 'failing', 'lapsed', 'conflict')),
  since timestamptz not null,
  verified_at timestamptz,
  last_success_at timestamptz,
  fault jsonb,
  notices int not null default 0,
  checks int not null default 0,
  checked_at timestamptz,
  next_check_at timestamptz not null,
  unique (parent, id),
  unique (parent, name),
  foreign key (parent, home_org) references org (parent, id),
  check (state not in ('failing', 'lapsed') or (fault is not null and last_success_at is not null)),
  check (state not in ('verified', 'failing') or (verified_at is not null and last_success_at is not null)),
  check (state <> 'conflict' or fault is null)
);
comment on table domain is 'A domain of the parent and how it stands. since: when the state began; of failing, when the record went missing. fault: what the last check found instead. issued_to: the parent whose id the record has; a merge moves the row and cannot move the record.';
-- INVARIANT (one parent per verified domain): across all parents, whatever each of them may see.
create unique index domain_verified_once on domain (name) where state in ('verified', 'failing');
create index domain_due on domain (next_check_at);
alter table domain enable row level security;
create policy domain_of_parent on domain to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, delete on domain to gatehouse_app;
grant update (include_subdomains, home_org, state, since, verified_at, last_success_at, fault, notices, checks, checked_at, next_check_at) on domain to gatehouse_app;

create table domain_check (
  parent text not null,
  domain text not null,
  number int not null,
  n int not null,
  at timestamptz not null,
  role text not null check (role in ('authoritative', 'recursive')),
  resolver text not null,
  record text not null,
  rcode text not null,
  answer text[] not null check (cardinality(answer) <= 8),
  ttl int,
  verdict text not null,
  primary key (parent, domain, number, n),
  foreign key (parent, domain) references domain (parent, id) on delete cascade
);
comment on table domain_check is 'Evidence: what each server said in a check, and what the check came to. The newest hundred rows of a domain are kept, and those of its last success.';
alter table domain_check enable row level security;
create policy domain_check_of_parent on domain_check to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert, delete on domain_check to gatehouse_app;

create table domain_capture (
  parent text not null,
  id text primary key,
  domain text not null,
  org text not null,
  state text not null check (state in ('announced', 'in_force', 'cancelled')),
  announced_at timestamptz not null,
  ends_at timestamptz not null,
  next_at timestamptz not null,
  unique (parent, id),
  foreign key (parent, domain) references domain (parent, id) on delete cascade,
  foreign key (parent, org) references org (parent, id),
  -- Nobody is moved with less notice, whatever an operation asks for.
  check (ends_at >= announced_at + interval '30 days')
);
comment on table domain_capture is 'People of a verified domain belong to one org, announced 30 days or more ahead. next_at: when the next reminder or the end is due.';
create unique index domain_capture_once on domain_capture (parent, domain) where state <> 'cancelled';
alter table domain_capture enable row level security;
create policy domain_capture_of_parent on domain_capture to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert on domain_capture to gatehouse_app;
grant update (state, next_at) on domain_capture to gatehouse_app;

create table domain_capture_offer (
  parent text not null,
  capture text not null,
  user_id text not null,
  choice text check (choice in ('merge', 'fresh')),
  answered_at timestamptz,
  applied_at timestamptz,
  primary key (parent, capture, user_id),
  foreign key (parent, capture) references domain_capture (parent, id) on delete cascade,
  foreign key (parent, user_id) references app_user (parent, id),
  check ((choice is null) = (answered_at is null)),
  check (applied_at is null or choice is not null)
);
comment on table domain_capture_offer is 'An account that was there before its domain was captured, and what its person chose: bring it along, or start fresh.';
create index domain_capture_offer_user on domain_capture_offer (parent, user_id);
alter table domain_capture_offer enable row level security;
create policy domain_capture_offer_of_parent on domain_capture_offer to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant select, insert on domain_capture_offer to gatehouse_app;
grant update (choice, answered_at, applied_at) on domain_capture_offer to gatehouse_app;

-- Who has verified one of these names, the first being the domain of an address and the others the domains above it: the nearest one that
-- speaks for the address. For the sign-in page, which has only an e-mail address. Says nothing about accounts.
create function lookup_domain_holder(names text[])
returns table (parent text, domain text, name text, state text, home_org text)
language sql stable security definer set search_path = public as $$
  select d.parent, d.id, d.name, d.state, d.home_org
    from domain d
   where d.name = any(names) and d.state in ('verified', 'failing') and (d.name = names[1] or d.include_subdomains)
   order by length(d.name) desc
   limit 1
$$;
revoke all on function lookup_domain_holder from public;
grant execute on function lookup_domain_holder to gatehouse_app;

-- Domains whose check, and captures whose reminder or end, is due: where, not what.
create function lookup_due_domains(at timestamptz) returns table (parent text, domain text)
language sql stable security definer set search_path = public as $$
  select d.parent, d.id from domain d where d.next_check_at <= at order by d.next_check_at limit 500
$$;
revoke all on function lookup_due_domains from public;
grant execute on function lookup_due_domains to gatehouse_app;

create function lookup_due_captures(at timestamptz) returns table (parent text, capture text)
language sql stable security definer set search_path = public as $$
  select c.parent, c.id from domain_capture c where c.state = 'announced' and c.next_at <= at order by c.next_at limit 500
$$;
revoke all on function lookup_due_captures from public;
grant execute on function lookup_due_captures to gatehouse_app;

-- Where these users are members, across the organizations of the transaction's parent. member is otherwise seen one organization at a time.
create function members_of_users(users text[]) returns table (user_id text, org text, org_name text, role text)
language sql stable security definer set search_path = public as $$
  select m.user_id, o.id, o.name, m.role
    from member m join org o on o.id = m.org
   where o.parent = app_parent() and m.user_id = any(users)
   order by o.name, o.id
$$;
revoke all on function members_of_users from public;
grant execute on function members_of_users to gatehouse_app;
