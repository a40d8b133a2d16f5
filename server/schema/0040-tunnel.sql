-- Ways into networks that nothing outside reaches: an agent inside opens a connection outwards, and requests go through it.

create table tunnel (
  org text not null references org,
  id text primary key,
  name text not null check (length(name) between 1 and 100),
  destinations text[] not null check (cardinality(destinations) between 1 and 50),
  generation int not null check (generation > 0),
  secret_hash bytea not null,
  older_secret_hash bytea,
  older_until timestamptz,
  rotated_at timestamptz not null,
  told text not null check (told in ('online', 'offline')),
  told_at timestamptz not null,
  last_seen_at timestamptz,
  created_at timestamptz not null,
  revoked_at timestamptz,
  unique (org, id),
  check ((older_secret_hash is null) = (older_until is null))
);
comment on table tunnel is 'A way into a network of the org: what its agents may be asked to reach (each an origin, with or without the beginning of a path), and the hash of the secret that they show. generation counts secrets; the one before is good until older_until. told: how it stands as the log tells it, since told_at; last_seen_at: when an agent of it left last. A revoked one stays, so that the log can be read.';
create unique index tunnel_name on tunnel (org, lower(name)) where revoked_at is null;
alter table tunnel enable row level security;
create policy tunnel_of_org on tunnel to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert on tunnel to gatehouse_app;
grant update (name, destinations, generation, secret_hash, older_secret_hash, older_until, rotated_at, told, told_at, last_seen_at, revoked_at) on tunnel to gatehouse_app;

create table tunnel_agent (
  org text not null,
  id text primary key,
  tunnel text not null,
  node text not null,
  name text not null,
  version text not null,
  address text not null,
  allow text[] not null,
  generation int not null,
  joined_at timestamptz not null,
  unique (org, id),
  foreign key (org, tunnel) references tunnel (org, id)
);
comment on table tunnel_agent is 'A connection of an agent, and the node that holds it; it is worth nothing when that node''s lease is over (gateway_node). name, version and allow (what its command line lets it reach) are what the agent says of itself; generation: of the secret that it showed.';
create index tunnel_agent_of on tunnel_agent (org, tunnel);
alter table tunnel_agent enable row level security;
create policy tunnel_agent_of_org on tunnel_agent to gatehouse_app using (org = app_org()) with check (org = app_org());
grant select, insert, delete on tunnel_agent to gatehouse_app;

alter table connector
  add column tunnel text,
  add foreign key (org, tunnel) references tunnel (org, id),
  add check (tunnel is null or (private_host is null and type = 'mcp'));
comment on column connector.tunnel is 'Through which tunnel it is reached; its address is then a name that only the tunnel''s agents resolve.';

alter table gateway_node add column address text;
comment on column gateway_node.address is 'Where other nodes reach this one with requests for the agents that it holds. null: it holds none.';

-- Which secret opens a tunnel: for an agent that says which one it is of.
create function lookup_tunnel(wanted text) returns table (parent text, org text, name text, generation int, secret_hash bytea, older_secret_hash bytea, older_until timestamptz, revoked_at timestamptz)
language sql stable security definer set search_path = public as $$
  select o.parent, o.id, t.name, t.generation, t.secret_hash, t.older_secret_hash, t.older_until, t.revoked_at
    from tunnel t join org o on o.id = t.org where t.id = lookup_tunnel.wanted
$$;
revoke all on function lookup_tunnel from public;
grant execute on function lookup_tunnel to gatehouse_app;

-- Where how a tunnel stands is not what the log tells, or an agent is left of a node that is gone.
create function lookup_unsettled_tunnels(quiet interval) returns table (parent text, org text)
language sql stable security definer set search_path = public as $$
  select distinct o.parent, o.id
    from tunnel t join org o on o.id = t.org,
         lateral (select count(*) filter (where n.lease_until > now()) as living, count(*) filter (where n.id is null or n.lease_until <= now() - lookup_unsettled_tunnels.quiet) as left_over
                    from tunnel_agent a left join gateway_node n on n.id = a.node where a.org = t.org and a.tunnel = t.id) s
   where s.left_over > 0 or (t.revoked_at is null and (s.living > 0) <> (t.told = 'online'))
$$;
revoke all on function lookup_unsettled_tunnels from public;
grant execute on function lookup_unsettled_tunnels to gatehouse_app;

-- For the figures of a deployment: how many tunnels stand how; not which.
create function lookup_tunnel_figures() returns table (state text, n int)
language sql stable security definer set search_path = public as $$
  select case when exists (select from tunnel_agent a join gateway_node g on g.id = a.node and g.lease_until > now() where a.org = t.org and a.tunnel = t.id)
              then 'online' else 'offline' end, count(*)::int
    from tunnel t where t.revoked_at is null group by 1
$$;
revoke all on function lookup_tunnel_figures from public;
grant execute on function lookup_tunnel_figures to gatehouse_app;

select defer_parent_references();
