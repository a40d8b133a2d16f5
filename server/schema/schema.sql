-- The whole schema, written by `npm run gen` from the migrations and checked by a wall. Read it; do not run or edit it.

-- A key for scripts: SHA-256 only, with the permissions that it carries. It works while its creator is an active member whose role still has them.
create table api_key (
  org text not null,
  id text not null,
  name text not null,
  hash bytea not null,
  permissions text[] not null,
  created_by text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  last_used_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (hash),
  FOREIGN KEY (org) REFERENCES org(id)
);
CREATE INDEX api_key_list ON public.api_key USING btree (org, created_at DESC, id DESC);
alter table api_key enable row level security;
create policy api_key_of_org on api_key for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select, update on api_key to gatehouse_app;

-- A person's account at the parent. The e-mail is for showing and mailing, never a key for signing in. Suspended: refused on every surface at the next request.
create table app_user (
  parent text not null,
  id text not null,
  email text not null,
  display_name text not null,
  state text not null,
  origin text not null,
  suspended_at timestamp with time zone,
  suspended_by text,
  created_at timestamp with time zone not null,
  email_key text generated always as (lower(email)) stored,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  FOREIGN KEY (parent) REFERENCES parent(id),
  CHECK ((origin = ANY (ARRAY['local'::text, 'directory'::text, 'sign_in'::text]))),
  CHECK ((state = ANY (ARRAY['active'::text, 'suspended'::text])))
);
CREATE INDEX app_user_by_email ON public.app_user USING btree (email_key);
CREATE UNIQUE INDEX app_user_email ON public.app_user USING btree (parent, email_key);
alter table app_user enable row level security;
create policy app_user_of_parent on app_user for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select, update on app_user to gatehouse_app;
CREATE TRIGGER connections_ended AFTER UPDATE OF state ON public.app_user FOR EACH ROW WHEN (((new.state = 'suspended'::text) AND (old.state <> 'suspended'::text))) EXECUTE FUNCTION connections_ended();

-- A call that waits for a person, or waited. The action is kept as canonical text. All states but pending are for ever; what a yes is worth is in approval_grant. consent: the OAuth grant by which the agent asked. asked_for: whether a rule wants a yes, what was found in the content, or what its session had read; has_read: from which connectors and tools, where that was looked at.
create table approval (
  org text not null,
  id text not null,
  action_hash text not null,
  action text not null,
  connector text not null,
  tool text not null,
  asker text not null,
  asker_user text not null,
  client text not null,
  state text not null,
  asked_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  pin text,
  class text not null,
  consent text,
  surface text not null,
  device text not null,
  asked_for text not null,
  decision text,
  ended_at timestamp with time zone,
  ended_by text,
  ended_why text,
  replaced_with text,
  says text,
  has_read jsonb,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  FOREIGN KEY (org) REFERENCES org(id),
  FOREIGN KEY (org, decision) REFERENCES approval_decision(org, id),
  CHECK (((asked_for <> 'session'::text) OR (has_read IS NOT NULL))),
  CHECK (((char_length(says) >= 1) AND (char_length(says) <= 600))),
  CHECK (((decision IS NOT NULL) = (state = ANY (ARRAY['approved'::text, 'denied'::text])))),
  CHECK (((ended_at IS NOT NULL) = (state = ANY (ARRAY['expired'::text, 'cancelled'::text, 'superseded'::text])))),
  CHECK (((ended_why IS NOT NULL) = (state = ANY (ARRAY['cancelled'::text, 'superseded'::text])))),
  CHECK ((action_hash ~ '^[0-9a-f]{64}$'::text)),
  CHECK ((asked_for = ANY (ARRAY['policy'::text, 'content'::text, 'session'::text]))),
  CHECK ((class = ANY (ARRAY['read'::text, 'write'::text, 'destructive'::text]))),
  CHECK ((pin ~ '^[0-9a-f]{64}$'::text)),
  CHECK ((state = ANY (ARRAY['pending'::text, 'approved'::text, 'denied'::text, 'expired'::text, 'cancelled'::text, 'superseded'::text])))
);
CREATE INDEX approval_decided_by ON public.approval USING btree (org, decision) WHERE (decision IS NOT NULL);
CREATE INDEX approval_expiring ON public.approval USING btree (org, expires_at) WHERE (state = 'pending'::text);
CREATE INDEX approval_latest ON public.approval USING btree (org, asker, action_hash, asked_at DESC, id DESC);
CREATE INDEX approval_listed ON public.approval USING btree (org, asked_at DESC, id DESC);
CREATE INDEX approval_same ON public.approval USING btree (org, asker, client, connector, tool) WHERE (state = 'pending'::text);
CREATE UNIQUE INDEX approval_waiting ON public.approval USING btree (org, asker, action_hash) WHERE (state = 'pending'::text);
alter table approval enable row level security;
create policy approval_of_org on approval for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on approval to gatehouse_app;
grant update (decision, ended_at, ended_by, ended_why, replaced_with, state) on approval to gatehouse_app;

-- What somebody decided, about one request or several at once. document: canonical text of the decision, whose hash the log has. proof: the passkey's signature over the action with the key that checks it, so that anybody can later; proof_key: what makes one signature count once. fresh: whether there was such a signature.
create table approval_decision (
  org text not null,
  id text not null,
  verdict text not null,
  decided_by text not null,
  session text,
  surface text not null,
  fresh boolean not null,
  decided_at timestamp with time zone not null,
  reason text,
  document text not null,
  proof text,
  proof_key bytea,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  UNIQUE (org, proof_key),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((proof IS NULL) = (proof_key IS NULL))),
  CHECK ((fresh = (proof IS NOT NULL))),
  CHECK ((octet_length(proof_key) = 32)),
  CHECK ((surface = ANY (ARRAY['portal'::text, 'desk'::text, 'dispatch'::text]))),
  CHECK ((verdict = ANY (ARRAY['approved'::text, 'denied'::text])))
);
CREATE INDEX approval_decision_people ON public.approval_decision USING btree (org, decided_at, decided_by);
alter table approval_decision enable row level security;
create policy approval_decision_of_org on approval_decision for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on approval_decision to gatehouse_app;

-- What a yes is worth: one use by the agent that asked, for the action with this hash; or, with conditions, up to `most` uses of the same tool under them, within one consent of the agent. Good for the reviewed definition `pin`. Used up when used = most; ended says that its time was over first, or that it was taken back.
create table approval_grant (
  org text not null,
  id text not null,
  approval text not null,
  decision text not null,
  action_hash text,
  connector text not null,
  tool text not null,
  pin text,
  member text not null,
  client text not null,
  consent text,
  policy_version text not null,
  conditions text,
  most integer not null,
  used integer not null default 0,
  last_call text,
  last_used_at timestamp with time zone,
  given_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  ended text,
  ended_at timestamp with time zone,
  ended_by text,
  ended_why text,
  PRIMARY KEY (id),
  UNIQUE (org, approval),
  UNIQUE (org, id),
  FOREIGN KEY (org) REFERENCES org(id),
  FOREIGN KEY (org, approval) REFERENCES approval(org, id),
  FOREIGN KEY (org, decision) REFERENCES approval_decision(org, id),
  CHECK (((action_hash IS NULL) = (conditions IS NOT NULL))),
  CHECK (((action_hash IS NULL) OR (most = 1))),
  CHECK (((conditions IS NULL) OR (consent IS NOT NULL))),
  CHECK (((ended IS NULL) = (ended_at IS NULL))),
  CHECK (((most >= 1) AND (most <= 1000))),
  CHECK (((used = 0) = (last_used_at IS NULL))),
  CHECK (((used >= 0) AND (used <= most))),
  CHECK ((action_hash ~ '^[0-9a-f]{64}$'::text)),
  CHECK ((ended = ANY (ARRAY['expired'::text, 'revoked'::text]))),
  CHECK ((pin ~ '^[0-9a-f]{64}$'::text))
);
CREATE INDEX approval_grant_expiring ON public.approval_grant USING btree (org, expires_at) WHERE ((ended IS NULL) AND (used < most));
CREATE INDEX approval_grant_live ON public.approval_grant USING btree (org, member, action_hash) WHERE ((ended IS NULL) AND (used < most));
CREATE INDEX approval_grant_run ON public.approval_grant USING btree (org, member, connector, tool) WHERE ((ended IS NULL) AND (used < most) AND (conditions IS NOT NULL));
alter table approval_grant enable row level security;
create policy approval_grant_of_org on approval_grant for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on approval_grant to gatehouse_app;
grant update (ended, ended_at, ended_by, ended_why, last_call, last_used_at, used) on approval_grant to gatehouse_app;

-- Whom we tell of a request, and whether at once or together with others: so many an hour at once, and no more.
create table approval_notice (
  org text not null,
  person text not null,
  approval text not null,
  how text not null,
  planned_at timestamp with time zone not null,
  sent_at timestamp with time zone,
  PRIMARY KEY (org, person, approval),
  FOREIGN KEY (org) REFERENCES org(id),
  FOREIGN KEY (org, approval) REFERENCES approval(org, id),
  CHECK ((how = ANY (ARRAY['now'::text, 'digest'::text])))
);
CREATE INDEX approval_notice_recent ON public.approval_notice USING btree (org, person, planned_at);
CREATE INDEX approval_notice_unsent ON public.approval_notice USING btree (org, planned_at) WHERE (sent_at IS NULL);
alter table approval_notice enable row level security;
create policy approval_notice_of_org on approval_notice for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on approval_notice to gatehouse_app;
grant update (sent_at) on approval_notice to gatehouse_app;

-- How an org wants approvals: whether one yes may cover further calls of a run and how many for how long; how many notices an hour a person gets at once. No row: none, and the usual number.
create table approval_settings (
  org text not null,
  run_grants boolean not null,
  run_most integer not null,
  run_minutes integer not null,
  notices_an_hour integer not null,
  set_by text not null,
  set_at timestamp with time zone not null,
  PRIMARY KEY (org),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((notices_an_hour >= 0) AND (notices_an_hour <= 100))),
  CHECK (((run_minutes >= 1) AND (run_minutes <= 1440))),
  CHECK (((run_most >= 1) AND (run_most <= 1000)))
);
alter table approval_settings enable row level security;
create policy approval_settings_of_org on approval_settings for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on approval_settings to gatehouse_app;
grant update (notices_an_hour, run_grants, run_minutes, run_most, set_at, set_by) on approval_settings to gatehouse_app;

-- When somebody first opened a request: how long people look before they decide is measured from there.
create table approval_sight (
  org text not null,
  approval text not null,
  person text not null,
  seen_at timestamp with time zone not null,
  PRIMARY KEY (org, approval, person),
  FOREIGN KEY (org) REFERENCES org(id),
  FOREIGN KEY (org, approval) REFERENCES approval(org, id)
);
alter table approval_sight enable row level security;
create policy approval_sight_of_org on approval_sight for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on approval_sight to gatehouse_app;

-- Signed statements of a log's size and root (C2SP tlog-checkpoint). Never signed twice for one size, never changed.
create table audit_checkpoint (
  log text not null,
  size bigint not null,
  at timestamp with time zone not null,
  note text not null,
  PRIMARY KEY (log, size),
  CHECK ((size >= 0))
);
alter table audit_checkpoint enable row level security;
create policy audit_checkpoint_add on audit_checkpoint for insert to gatehouse_sequencer with check true;
create policy audit_checkpoint_load on audit_checkpoint for select to gatehouse_sequencer using true;
create policy audit_checkpoint_read on audit_checkpoint for select to gatehouse_app using (log = ANY (ARRAY[app_org(), app_parent()]));
grant select on audit_checkpoint to gatehouse_app;
grant insert, select on audit_checkpoint to gatehouse_sequencer;

-- The log: one row per event at its position. Columns beside header, data and salt repeat the header for searching; what counts is the header.
create table audit_event (
  log text not null,
  seq bigint not null,
  at timestamp with time zone not null,
  id text not null,
  type text not null,
  actor text,
  connector text,
  call text,
  header jsonb not null,
  data jsonb not null,
  salt bytea not null,
  commitment bytea not null,
  leaf bytea not null,
  PRIMARY KEY (log, seq, at),
  CHECK ((octet_length(commitment) = 32)),
  CHECK ((octet_length(leaf) = 32)),
  CHECK ((seq >= 0))
) partition by RANGE (at);
CREATE INDEX audit_event_actor ON ONLY public.audit_event USING btree (log, actor, seq) WHERE (actor IS NOT NULL);
CREATE INDEX audit_event_call ON ONLY public.audit_event USING btree (log, call, seq) WHERE (call IS NOT NULL);
CREATE INDEX audit_event_connector ON ONLY public.audit_event USING btree (log, connector, seq) WHERE (connector IS NOT NULL);
CREATE INDEX audit_event_ended ON ONLY public.audit_event USING btree (log, ((header ->> 'disposition'::text)), seq) WHERE ((header ->> 'disposition'::text) <> 'returned'::text);
CREATE INDEX audit_event_found ON ONLY public.audit_event USING btree (log, seq) WHERE (jsonb_array_length(
CASE
    WHEN (jsonb_typeof((data -> 'findings'::text)) = 'array'::text) THEN (data -> 'findings'::text)
    ELSE '[]'::jsonb
END) > 0);
CREATE INDEX audit_event_request ON ONLY public.audit_event USING btree (log, ((header ->> 'request'::text)), seq);
CREATE INDEX audit_event_time ON ONLY public.audit_event USING btree (log, at);
CREATE INDEX audit_event_type ON ONLY public.audit_event USING btree (log, type, seq);
alter table audit_event enable row level security;
create policy audit_event_append on audit_event for insert to gatehouse_sequencer with check true;
create policy audit_event_read on audit_event for select to gatehouse_app using (log = ANY (ARRAY[app_org(), app_parent()]));
grant select on audit_event to gatehouse_app;
grant insert on audit_event to gatehouse_sequencer;

-- audit_event_default is a partition of audit_event

-- How far each log has grown: size, RFC 6962 root, the perfect subtrees it is made of, and the fence: the epoch of the one sequencer that may append.
create table audit_head (
  log text not null,
  size bigint not null,
  frontier bytea not null,
  root bytea not null,
  epoch bigint not null,
  owner text not null,
  PRIMARY KEY (log),
  CHECK ((octet_length(root) = 32)),
  CHECK ((size >= 0))
);
alter table audit_head enable row level security;
create policy audit_head_grow on audit_head for all to gatehouse_sequencer using true with check true;
create policy audit_head_read on audit_head for select to gatehouse_app using (log = ANY (ARRAY[app_org(), app_parent()]));
grant select on audit_head to gatehouse_app;
grant insert, select, update on audit_head to gatehouse_sequencer;

-- Events that are durable but have no position yet. A row is written in the transaction of the change it tells of.
create table audit_inbox (
  log text not null,
  arrived bigint not null generated always as identity,
  id text not null,
  at timestamp with time zone not null,
  header jsonb not null,
  data jsonb not null,
  salt bytea not null,
  PRIMARY KEY (log, arrived)
);
alter table audit_inbox enable row level security;
create policy audit_inbox_take on audit_inbox for all to gatehouse_sequencer using true;
create policy audit_inbox_write on audit_inbox for insert to gatehouse_app with check (log = ANY (ARRAY[app_org(), app_parent()]));
grant insert on audit_inbox to gatehouse_app;
grant delete, select on audit_inbox to gatehouse_sequencer;

-- The tree in tiles of up to 256 hashes (C2SP tlog-tiles). A full tile is final: the policy lets nobody write it again.
create table audit_tile (
  log text not null,
  level integer not null,
  index bigint not null,
  hashes bytea not null,
  PRIMARY KEY (log, level, index),
  CHECK ((((octet_length(hashes) >= 32) AND (octet_length(hashes) <= 8192)) AND ((octet_length(hashes) % 32) = 0))),
  CHECK (((level >= 0) AND (level <= 7))),
  CHECK ((index >= 0))
);
alter table audit_tile enable row level security;
create policy audit_tile_add on audit_tile for insert to gatehouse_sequencer with check true;
create policy audit_tile_fill on audit_tile for update to gatehouse_sequencer using (octet_length(hashes) < 8192) with check true;
create policy audit_tile_load on audit_tile for select to gatehouse_sequencer using true;
create policy audit_tile_read on audit_tile for select to gatehouse_app using (log = ANY (ARRAY[app_org(), app_parent()]));
grant select on audit_tile to gatehouse_app;
grant insert, select, update on audit_tile to gatehouse_sequencer;

-- A run of recorded calls through a draft of the policies. calls: how many there are, as counted at the start; seen: how far it is. report: what would change, with ids and counts, never the facts of a call.
create table backtest (
  org text not null,
  id text not null,
  draft json not null,
  since timestamp with time zone not null,
  until timestamp with time zone not null,
  state text not null,
  calls bigint not null default 0,
  seen bigint not null default 0,
  report json,
  says text,
  asked_by text not null,
  asked_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((state = 'done'::text) = (report IS NOT NULL))),
  CHECK (((state = 'failed'::text) = (says IS NOT NULL))),
  CHECK (((state = ANY (ARRAY['done'::text, 'cancelled'::text, 'failed'::text])) = (ended_at IS NOT NULL))),
  CHECK ((since < until)),
  CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'done'::text, 'cancelled'::text, 'failed'::text])))
);
CREATE INDEX backtest_listed ON public.backtest USING btree (org, id DESC);
alter table backtest enable row level security;
create policy backtest_of_org on backtest for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on backtest to gatehouse_app;
grant update (calls, ended_at, report, says, seen, state) on backtest to gatehouse_app;

-- Limits of calls for a person, a connector and a tool, at each node: about is all (for the whole org) or the id of a connector, whose limits of connector and tool stand in place of those for all and whose limits of a person come on top of them. null: nothing was said; 0: no limit. No row: nothing was said.
create table call_limit (
  org text not null,
  about text not null,
  person_at_once integer,
  person_per_minute integer,
  connector_at_once integer,
  connector_per_minute integer,
  tool_at_once integer,
  tool_per_minute integer,
  set_by text not null,
  set_at timestamp with time zone not null,
  PRIMARY KEY (org, about),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((about = 'all'::text) OR (about ~ '^con_[0-9a-f]{32}$'::text))),
  CHECK (((connector_at_once >= 0) AND (connector_at_once <= 1000000))),
  CHECK (((connector_per_minute >= 0) AND (connector_per_minute <= 1000000))),
  CHECK (((person_at_once >= 0) AND (person_at_once <= 1000000))),
  CHECK (((person_per_minute >= 0) AND (person_per_minute <= 1000000))),
  CHECK (((tool_at_once >= 0) AND (tool_at_once <= 1000000))),
  CHECK (((tool_per_minute >= 0) AND (tool_per_minute <= 1000000)))
);
alter table call_limit enable row level security;
create policy call_limit_of_org on call_limit for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select, update on call_limit to gatehouse_app;

-- A policy that an expert wrote in Cedar, validated strictly when it was saved. In force from the version since until before the version until.
create table cedar_policy (
  org text not null,
  id text not null,
  name text not null,
  cedar text not null,
  set_by text not null,
  set_at timestamp with time zone not null,
  since integer not null,
  until integer,
  PRIMARY KEY (org, id, since),
  FOREIGN KEY (org) REFERENCES org(id)
);
CREATE UNIQUE INDEX cedar_policy_live ON public.cedar_policy USING btree (org, lower(name)) WHERE (until IS NULL);
alter table cedar_policy enable row level security;
create policy cedar_policy_of_org on cedar_policy for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on cedar_policy to gatehouse_app;
grant update (until) on cedar_policy to gatehouse_app;

-- One credential for a connector: what a person consented to, or an account of the org. sealed: tokens, or what an administrator gave (grant_kind says which kind), for this row, connector, owner and generation. shown: its parts that are no secret; facts: what the API needs beside the token. state refresh_failed is tried again at next_attempt_at, reconnect needs a person; why: the code of the last refusal; because: whether the app is to blame, or nobody. given_ends_at: when what the administrator gave ends. member has no foreign key: a trigger ends the connections of a member who leaves. ended_by null: a trigger did it and the log is not told yet. vendor_end: how the vendor was told of the end.
create table connection (
  org text not null,
  id text not null,
  connector text not null,
  owner_kind text not null,
  member text,
  user_id text,
  grant_kind text not null,
  access text not null,
  account_subject text,
  account_label text,
  account_email text,
  account_tenant text,
  scopes text[] not null,
  shown jsonb not null default '{}'::jsonb,
  facts jsonb not null default '{}'::jsonb,
  state text not null,
  because text,
  why text,
  sealed bytea,
  generation integer not null,
  access_expires_at timestamp with time zone,
  refresh_expires_at timestamp with time zone,
  idle_expires_at timestamp with time zone,
  given_ends_at timestamp with time zone,
  last_refreshed_at timestamp with time zone,
  fail_count integer not null default 0,
  next_attempt_at timestamp with time zone,
  made_at timestamp with time zone not null,
  made_by text not null,
  ended_at timestamp with time zone,
  ended_by text,
  ended_why text,
  vendor_end text,
  vendor_end_tries integer not null default 0,
  vendor_end_next_at timestamp with time zone,
  asked_scopes text[] not null default '{}'::text[],
  asked_tries integer not null default 0,
  asked_generation integer,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  FOREIGN KEY (org, connector) REFERENCES connector(org, id),
  CHECK (((owner_kind = 'organization'::text) OR (grant_kind = 'oauth'::text))),
  CHECK (((owner_kind = 'person'::text) = (member IS NOT NULL))),
  CHECK (((owner_kind = 'person'::text) = (user_id IS NOT NULL))),
  CHECK (((sealed IS NOT NULL) = ((state <> 'revoked'::text) OR (vendor_end = 'waiting'::text)))),
  CHECK (((state <> 'refresh_failed'::text) OR (because IS NOT NULL))),
  CHECK (((state = 'revoked'::text) = (ended_at IS NOT NULL))),
  CHECK (((state = 'revoked'::text) = (ended_why IS NOT NULL))),
  CHECK (((state = 'revoked'::text) = (vendor_end IS NOT NULL))),
  CHECK (((state = ANY (ARRAY['active'::text, 'revoked'::text])) OR (why IS NOT NULL))),
  CHECK ((access = ANY (ARRAY['read_only'::text, 'read_write'::text]))),
  CHECK ((because = ANY (ARRAY['app'::text, 'later'::text]))),
  CHECK ((ended_why = ANY (ARRAY['disconnected'::text, 'revoked'::text, 'replaced'::text, 'suspended'::text, 'member_removed'::text, 'refused'::text]))),
  CHECK ((generation > 0)),
  CHECK ((grant_kind ~ '^[a-z][a-z0-9_]*$'::text)),
  CHECK ((owner_kind = ANY (ARRAY['person'::text, 'organization'::text]))),
  CHECK ((state = ANY (ARRAY['active'::text, 'refresh_failed'::text, 'reconnect'::text, 'revoked'::text]))),
  CHECK ((vendor_end = ANY (ARRAY['waiting'::text, 'confirmed'::text, 'refused'::text, 'impossible'::text])))
);
CREATE INDEX connection_ending ON public.connection USING btree (vendor_end_next_at) WHERE (vendor_end = 'waiting'::text);
CREATE INDEX connection_of_member ON public.connection USING btree (org, member) WHERE (ended_at IS NULL);
CREATE UNIQUE INDEX connection_of_organization ON public.connection USING btree (org, connector) WHERE ((owner_kind = 'organization'::text) AND (ended_at IS NULL));
CREATE UNIQUE INDEX connection_of_person ON public.connection USING btree (org, connector, member) WHERE ((owner_kind = 'person'::text) AND (ended_at IS NULL));
CREATE INDEX connection_of_user ON public.connection USING btree (user_id) WHERE (ended_at IS NULL);
CREATE INDEX connection_untold ON public.connection USING btree (ended_at) WHERE ((state = 'revoked'::text) AND (ended_by IS NULL));
alter table connection enable row level security;
create policy connection_of_org on connection for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on connection to gatehouse_app;
grant update (access, access_expires_at, account_email, account_label, account_subject, account_tenant, asked_generation, asked_scopes, asked_tries, because, ended_at, ended_by, ended_why, facts, fail_count, generation, given_ends_at, grant_kind, idle_expires_at, last_refreshed_at, next_attempt_at, refresh_expires_at, scopes, sealed, shown, state, vendor_end, vendor_end_next_at, vendor_end_tries, why) on connection to gatehouse_app;

-- What was told of a connection, or of the app of a connector (about is its id), once each: clock is what ends, ends_at when, step how many days ahead (0: it has ended). failed, check and many (several of a connector at once) are troubles without an end: ends_at is when they were found, over_at when they were over. digest: the mail to administrators that tells it, or tells that it is over.
create table connection_alert (
  org text not null,
  about text not null,
  clock text not null,
  ends_at timestamp with time zone not null,
  step integer not null,
  told_at timestamp with time zone not null,
  over_at timestamp with time zone,
  digest text,
  PRIMARY KEY (org, about, clock, ends_at, step),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((step = 0) OR (clock = ANY (ARRAY['refresh'::text, 'idle'::text, 'given'::text, 'app'::text])))),
  CHECK ((clock = ANY (ARRAY['refresh'::text, 'idle'::text, 'given'::text, 'app'::text, 'failed'::text, 'check'::text, 'many'::text]))),
  CHECK ((step = ANY (ARRAY[0, 1, 3, 7, 14])))
);
CREATE INDEX connection_alert_digest ON public.connection_alert USING btree (org, digest);
CREATE UNIQUE INDEX connection_alert_trouble ON public.connection_alert USING btree (org, about, clock) WHERE ((clock = ANY (ARRAY['failed'::text, 'check'::text])) AND (over_at IS NULL));
alter table connection_alert enable row level security;
create policy connection_alert_of_org on connection_alert for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on connection_alert to gatehouse_app;
grant update (digest, over_at) on connection_alert to gatehouse_app;

-- The last daily look at an account of the org, with one call: which day's (slot), whoever of the nodes took it. why and says: what was wrong; null: nothing, or it has not ended.
create table connection_check (
  org text not null,
  connection text not null,
  slot date not null,
  begun_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  why text,
  says text,
  PRIMARY KEY (org, connection),
  FOREIGN KEY (org, connection) REFERENCES connection(org, id),
  CHECK (((ended_at IS NOT NULL) OR ((why IS NULL) AND (says IS NULL)))),
  CHECK (((why IS NULL) = (says IS NULL)))
);
alter table connection_check enable row level security;
create policy connection_check_of_org on connection_check for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on connection_check to gatehouse_app;
grant update (begun_at, ended_at, says, slot, why) on connection_check to gatehouse_app;

-- A person who was sent to a vendor to consent, from which session, for what. Good for one answer within its time; verifier_sealed is the PKCE verifier. What came of it is in the log.
create table connection_consent (
  org text not null,
  id text not null,
  connector text not null,
  member text not null,
  user_id text not null,
  session text not null,
  access text not null,
  verifier_sealed bytea not null,
  begun_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  answered_at timestamp with time zone,
  scopes text[],
  issuer text,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  FOREIGN KEY (org, connector) REFERENCES connector(org, id),
  CHECK ((access = ANY (ARRAY['read_only'::text, 'read_write'::text])))
);
CREATE INDEX connection_consent_old ON public.connection_consent USING btree (org, expires_at);
alter table connection_consent enable row level security;
create policy connection_consent_of_org on connection_consent for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant delete, insert, select on connection_consent to gatehouse_app;
grant update (answered_at) on connection_consent to gatehouse_app;

-- What nodes tell each other about a connection: who renews it now and until when that is theirs alone; the attempt that was begun on which generation and has not ended (written before the vendor is asked); the last use, to the minute. No row: never used.
create table connection_lease (
  org text not null,
  connection text not null,
  owner text,
  until timestamp with time zone,
  attempt_generation integer,
  attempt_at timestamp with time zone,
  last_used_at timestamp with time zone,
  PRIMARY KEY (org, connection),
  FOREIGN KEY (org, connection) REFERENCES connection(org, id),
  CHECK (((attempt_generation IS NULL) = (attempt_at IS NULL))),
  CHECK (((owner IS NULL) = (until IS NULL)))
);
alter table connection_lease enable row level security;
create policy connection_lease_of_org on connection_lease for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on connection_lease to gatehouse_app;
grant update (attempt_at, attempt_generation, last_used_at, owner, until) on connection_lease to gatehouse_app;

-- A system made available in an org: an MCP server of the customer's (type mcp), a vendor's MCP server (mode remote) or our tools on a vendor's API (builtin). act_as: whose account calls use. settings: what its manifest asks for; origins: addresses by role that stand in place of the manifest's, inside the network where origins_private. The bearer is sealed for this row; private_host is the one host whose private addresses an administrator allowed.
create table connector (
  org text not null,
  id text not null,
  slug text not null,
  name text not null,
  url text not null,
  private_host text,
  bearer bytea,
  bearer_generation integer not null default 0,
  state text not null,
  created_at timestamp with time zone not null,
  type text not null,
  mode text not null,
  act_as text not null,
  access text not null,
  settings jsonb not null default '{}'::jsonb,
  origins jsonb not null default '{}'::jsonb,
  origins_private boolean not null default false,
  tunnel text,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  UNIQUE (org, slug),
  FOREIGN KEY (org) REFERENCES org(id),
  FOREIGN KEY (org, tunnel) REFERENCES tunnel(org, id),
  CHECK (((bearer IS NULL) OR (bearer_generation > 0))),
  CHECK (((slug ~ '^[a-z0-9](-?[a-z0-9])*$'::text) AND (length(slug) <= 40))),
  CHECK (((tunnel IS NULL) OR ((private_host IS NULL) AND (NOT origins_private) AND (type = ANY (ARRAY['mcp'::text, 'openapi'::text]))))),
  CHECK ((access = ANY (ARRAY['read_only'::text, 'read_write'::text]))),
  CHECK ((act_as = ANY (ARRAY['none'::text, 'person'::text, 'organization'::text, 'organization_as_person'::text]))),
  CHECK ((mode = ANY (ARRAY['builtin'::text, 'remote'::text]))),
  CHECK ((state = ANY (ARRAY['on'::text, 'off'::text]))),
  CHECK ((type ~ '^[a-z0-9](-?[a-z0-9])*$'::text))
);
alter table connector enable row level security;
create policy connector_of_org on connector for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select, update on connector to gatehouse_app;

-- The app that an org registered at a vendor for a connector: client id and, sealed for this row, its secret or its private key, whose certificate is for the vendor. same_address: an account with another address than the person's is refused. ends_at: when secret or certificate ends. refused_at: the last three times that the vendor did not take the app; failing_since: when it had refused so often in a row that it is the app's fault.
create table connector_app (
  org text not null,
  connector text not null,
  client_id text not null,
  kind text not null,
  sealed bytea,
  generation integer not null,
  certificate text,
  key_id text,
  same_address boolean not null,
  ends_at timestamp with time zone,
  refused_at timestamp with time zone[] not null default '{}'::timestamp with time zone[],
  failing_since timestamp with time zone,
  set_by text not null,
  set_at timestamp with time zone not null,
  way text not null,
  issuer text,
  method text,
  PRIMARY KEY (org, connector),
  FOREIGN KEY (org, connector) REFERENCES connector(org, id),
  CHECK (((kind = 'key'::text) = (certificate IS NOT NULL))),
  CHECK (((kind = 'key'::text) = (key_id IS NOT NULL))),
  CHECK (((kind = 'none'::text) = (sealed IS NULL))),
  CHECK (((way = 'given'::text) OR (issuer IS NOT NULL))),
  CHECK ((client_id <> ''::text)),
  CHECK ((generation > 0)),
  CHECK ((kind = ANY (ARRAY['secret'::text, 'key'::text, 'none'::text]))),
  CHECK ((method = ANY (ARRAY['none'::text, 'client_secret_basic'::text, 'client_secret_post'::text, 'private_key_jwt'::text]))),
  CHECK ((way = ANY (ARRAY['given'::text, 'document'::text, 'registered'::text])))
);
alter table connector_app enable row level security;
create policy connector_app_of_org on connector_app for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant delete, insert, select on connector_app to gatehouse_app;
grant update (certificate, client_id, ends_at, failing_since, generation, issuer, key_id, kind, method, refused_at, same_address, sealed, set_at, set_by, way) on connector_app to gatehouse_app;

-- Which authorization server an MCP server named, and what both say of themselves in their metadata, as it was last read and checked (found_at). Credentials belong to one issuer: what another gave is not sent to this one.
create table connector_authorization (
  org text not null,
  connector text not null,
  issuer text not null,
  found jsonb not null,
  found_at timestamp with time zone not null,
  PRIMARY KEY (org, connector),
  FOREIGN KEY (org, connector) REFERENCES connector(org, id),
  CHECK ((issuer <> ''::text))
);
alter table connector_authorization enable row level security;
create policy connector_authorization_of_org on connector_authorization for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on connector_authorization to gatehouse_app;
grant update (found, found_at, issuer) on connector_authorization to gatehouse_app;

-- What policy was asked about a call, and what it said. asked: groups of the person, class, surface, device and the argument facts of the tool's projection, at that moment; never the arguments. Null: more than 8 KB, so not kept. Rows are forgotten after GATEHOUSE_CALL_FACTS_DAYS. Calls that were refused before policy was asked have no row.
create table decided_call (
  org text not null,
  call text not null,
  answer text not null,
  version text not null,
  engine text not null,
  policies text[] not null,
  asked json,
  PRIMARY KEY (org, call),
  CHECK ((answer = ANY (ARRAY['allowed'::text, 'asks'::text, 'denied'::text])))
);
alter table decided_call enable row level security;
create policy decided_call_of_org on decided_call for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on decided_call to gatehouse_app;

-- A SCIM connection of the parent. Owns the scim_users and scim_groups that arrive through it; its people become members of `org` with the role user.
create table directory (
  parent text not null,
  id text not null,
  org text not null,
  name text not null,
  state text not null default 'active'::text,
  created_at timestamp with time zone not null,
  profile text not null default 'compat'::text,
  domains text[] not null default '{}'::text[],
  domain_policy text not null default 'accept'::text,
  extensions jsonb not null default '[]'::jsonb,
  rate integer not null default 200,
  journal text not null default 'changes'::text,
  journal_days integer not null default 30,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  FOREIGN KEY (parent) REFERENCES parent(id),
  FOREIGN KEY (parent, org) REFERENCES org(parent, id) DEFERRABLE,
  CHECK (((journal_days >= 1) AND (journal_days <= 365))),
  CHECK (((rate >= 1) AND (rate <= 100000))),
  CHECK ((domain_policy = ANY (ARRAY['accept'::text, 'hold'::text, 'refuse'::text]))),
  CHECK ((journal = ANY (ARRAY['changes'::text, 'all'::text]))),
  CHECK ((profile = ANY (ARRAY['compat'::text, 'strict'::text]))),
  CHECK ((state = ANY (ARRAY['active'::text, 'paused'::text])))
);
alter table directory enable row level security;
create policy directory_of_parent on directory for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select, update on directory to gatehouse_app;

-- What happens in an org to content in which a detector finds something, per phase. No row: the detector's own default.
create table dlp_baseline (
  org text not null,
  data text not null,
  phase text not null,
  action text not null,
  set_by text not null,
  set_at timestamp with time zone not null,
  PRIMARY KEY (org, data, phase),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK ((action = ANY (ARRAY['allow'::text, 'alert'::text, 'redact'::text, 'require_approval'::text, 'quarantine'::text, 'block'::text]))),
  CHECK ((phase = ANY (ARRAY['arguments'::text, 'result'::text, 'prompt'::text, 'output'::text, 'file_in'::text, 'file_out'::text])))
);
alter table dlp_baseline enable row level security;
create policy dlp_baseline_of_org on dlp_baseline for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on dlp_baseline to gatehouse_app;
grant update (action, set_at, set_by) on dlp_baseline to gatehouse_app;

-- What an org itself calls confidential: terms, a pattern, a dictionary, or records known only by digests whose key is derived and nowhere stored. spec never changes and goes with the removal.
create table dlp_detector (
  org text not null,
  id text not null,
  name text not null,
  kind text not null,
  severity text not null,
  entries integer not null,
  spec jsonb,
  created_by text not null,
  created_at timestamp with time zone not null,
  removed_by text,
  removed_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((removed_at IS NULL) = (removed_by IS NULL))),
  CHECK (((removed_at IS NULL) = (spec IS NOT NULL))),
  CHECK ((kind = ANY (ARRAY['terms'::text, 'pattern'::text, 'dictionary'::text, 'exact'::text]))),
  CHECK ((severity = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text, 'critical'::text])))
);
CREATE UNIQUE INDEX dlp_detector_name ON public.dlp_detector USING btree (org, lower(name)) WHERE (removed_at IS NULL);
alter table dlp_detector enable row level security;
create policy dlp_detector_of_org on dlp_detector for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on dlp_detector to gatehouse_app;
grant update (removed_at, removed_by, spec) on dlp_detector to gatehouse_app;

-- What happens in an org when content could not be looked at, per class of the tool; none: outside of a call. No row: open with an alert for reads, closed for everything else.
create table dlp_fail_mode (
  org text not null,
  class text not null,
  mode text not null,
  set_by text not null,
  set_at timestamp with time zone not null,
  PRIMARY KEY (org, class),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK ((class = ANY (ARRAY['read'::text, 'write'::text, 'destructive'::text, 'none'::text]))),
  CHECK ((mode = ANY (ARRAY['open'::text, 'closed'::text])))
);
alter table dlp_fail_mode enable row level security;
create policy dlp_fail_mode_of_org on dlp_fail_mode for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on dlp_fail_mode to gatehouse_app;
grant update (mode, set_at, set_by) on dlp_fail_mode to gatehouse_app;

-- What an admin wants done with classes of data for a group, a connector and phases. A policy adds to the baseline, the most severe counts; an exception stands in place of both where it fits. Null group or connector: any. two_people: what it keeps is released by two. Removed ones stay, so that the log can be read. group_id and connector have no foreign key: a policy about what is gone applies to nothing.
create table dlp_policy (
  org text not null,
  id text not null,
  name text not null,
  kind text not null,
  group_id text,
  connector text,
  data text[] not null,
  phases text[] not null,
  action text not null,
  two_people boolean not null default false,
  created_by text not null,
  created_at timestamp with time zone not null,
  removed_by text,
  removed_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((NOT two_people) OR (action = 'quarantine'::text))),
  CHECK (((cardinality(phases) > 0) AND (phases <@ ARRAY['arguments'::text, 'result'::text, 'prompt'::text, 'output'::text, 'file_in'::text, 'file_out'::text]))),
  CHECK (((kind = 'policy'::text) OR (group_id IS NOT NULL) OR (connector IS NOT NULL))),
  CHECK (((removed_at IS NULL) = (removed_by IS NULL))),
  CHECK ((action = ANY (ARRAY['allow'::text, 'alert'::text, 'redact'::text, 'require_approval'::text, 'quarantine'::text, 'block'::text]))),
  CHECK ((cardinality(data) > 0)),
  CHECK ((kind = ANY (ARRAY['policy'::text, 'exception'::text])))
);
CREATE UNIQUE INDEX dlp_policy_name ON public.dlp_policy USING btree (org, lower(name)) WHERE (removed_at IS NULL);
alter table dlp_policy enable row level security;
create policy dlp_policy_of_org on dlp_policy for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on dlp_policy to gatehouse_app;
grant update (removed_at, removed_by) on dlp_policy to gatehouse_app;

-- A scanner outside of Gatehouse that is asked about content. config: where it is and how it is spoken to, by kind, without secrets. secret: sealed for this row at secret_generation; the one before (generation - 1) counts until previous_until, so that a rotation refuses nobody. fail_mode null: closed for what writes or leaves, open with an alert for what is read.
create table dlp_scanner (
  org text not null,
  id text not null,
  kind text not null,
  name text not null,
  config jsonb not null,
  allow_private boolean not null,
  phases text[] not null,
  mode text not null,
  percentage integer not null,
  fail_mode text,
  timeout_ms integer not null,
  excluded_roles text[] not null,
  excluded_groups text[] not null,
  state text not null,
  secret bytea,
  secret_generation integer not null,
  secret_since timestamp with time zone,
  previous_secret bytea,
  previous_until timestamp with time zone,
  created_by text not null,
  created_at timestamp with time zone not null,
  removed_by text,
  removed_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((percentage >= 0) AND (percentage <= 100))),
  CHECK (((phases <@ ARRAY['arguments'::text, 'result'::text, 'prompt'::text, 'output'::text, 'file_in'::text, 'file_out'::text]) AND (cardinality(phases) > 0))),
  CHECK (((previous_secret IS NULL) = (previous_until IS NULL))),
  CHECK (((previous_secret IS NULL) OR ((secret IS NOT NULL) AND (secret_generation > 1)))),
  CHECK (((removed_at IS NULL) = (removed_by IS NULL))),
  CHECK (((removed_at IS NULL) OR ((secret IS NULL) AND (previous_secret IS NULL)))),
  CHECK (((secret IS NULL) = (secret_since IS NULL))),
  CHECK (((secret IS NULL) OR (secret_generation > 0))),
  CHECK (((timeout_ms >= 1) AND (timeout_ms <= 10000))),
  CHECK ((fail_mode = ANY (ARRAY['open'::text, 'closed'::text]))),
  CHECK ((kind = ANY (ARRAY['webhook'::text, 'purview'::text, 'symantec'::text, 'forcepoint'::text]))),
  CHECK ((mode = ANY (ARRAY['shadow'::text, 'enforce'::text]))),
  CHECK ((secret_generation >= 0)),
  CHECK ((state = ANY (ARRAY['on'::text, 'off'::text])))
);
CREATE UNIQUE INDEX dlp_scanner_name ON public.dlp_scanner USING btree (org, lower(name)) WHERE (removed_at IS NULL);
alter table dlp_scanner enable row level security;
create policy dlp_scanner_of_org on dlp_scanner for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on dlp_scanner to gatehouse_app;
grant update (allow_private, config, excluded_groups, excluded_roles, fail_mode, mode, name, percentage, phases, previous_secret, previous_until, removed_at, removed_by, secret, secret_generation, secret_since, state, timeout_ms) on dlp_scanner to gatehouse_app;

-- A domain of the parent and how it stands. since: when the state began; of failing, when the record went missing. fault: what the last check found instead. issued_to: the parent whose id the record has; a merge moves the row and cannot move the record.
create table domain (
  parent text not null,
  id text not null,
  name text not null,
  shown text not null,
  token text not null,
  issued_to text,
  include_subdomains boolean not null,
  home_org text,
  added_at timestamp with time zone not null,
  state text not null,
  since timestamp with time zone not null,
  verified_at timestamp with time zone,
  last_success_at timestamp with time zone,
  fault jsonb,
  notices integer not null default 0,
  checks integer not null default 0,
  checked_at timestamp with time zone,
  next_check_at timestamp with time zone not null,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  UNIQUE (parent, name),
  FOREIGN KEY (parent) REFERENCES parent(id),
  FOREIGN KEY (parent, home_org) REFERENCES org(parent, id) DEFERRABLE,
  CHECK (((name = lower(name)) AND ((length(name) >= 3) AND (length(name) <= 200)))),
  CHECK (((state <> 'conflict'::text) OR (fault IS NULL))),
  CHECK (((state <> ALL (ARRAY['failing'::text, 'lapsed'::text])) OR ((fault IS NOT NULL) AND (last_success_at IS NOT NULL)))),
  CHECK (((state <> ALL (ARRAY['verified'::text, 'failing'::text])) OR ((verified_at IS NOT NULL) AND (last_success_at IS NOT NULL)))),
  CHECK ((state = ANY (ARRAY['pending'::text, 'verified'::text, 'failing'::text, 'lapsed'::text, 'conflict'::text]))),
  CHECK ((token ~ '^[0-9a-f]{32}$'::text))
);
CREATE INDEX domain_due ON public.domain USING btree (next_check_at);
CREATE UNIQUE INDEX domain_verified_once ON public.domain USING btree (name) WHERE (state = ANY (ARRAY['verified'::text, 'failing'::text]));
alter table domain enable row level security;
create policy domain_of_parent on domain for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant delete, insert, select on domain to gatehouse_app;
grant update (checked_at, checks, fault, home_org, include_subdomains, last_success_at, next_check_at, notices, since, state, verified_at) on domain to gatehouse_app;

-- People of a verified domain belong to one org, announced 30 days or more ahead. next_at: when the next reminder or the end is due.
create table domain_capture (
  parent text not null,
  id text not null,
  domain text not null,
  org text not null,
  state text not null,
  announced_at timestamp with time zone not null,
  ends_at timestamp with time zone not null,
  next_at timestamp with time zone not null,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  FOREIGN KEY (parent, domain) REFERENCES domain(parent, id) ON DELETE CASCADE DEFERRABLE,
  FOREIGN KEY (parent, org) REFERENCES org(parent, id) DEFERRABLE,
  CHECK ((ends_at >= (announced_at + '30 days'::interval))),
  CHECK ((state = ANY (ARRAY['announced'::text, 'in_force'::text, 'cancelled'::text])))
);
CREATE UNIQUE INDEX domain_capture_once ON public.domain_capture USING btree (parent, domain) WHERE (state <> 'cancelled'::text);
alter table domain_capture enable row level security;
create policy domain_capture_of_parent on domain_capture for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select on domain_capture to gatehouse_app;
grant update (next_at, state) on domain_capture to gatehouse_app;

-- An account that was there before its domain was captured, and what its person chose: bring it along, or start fresh.
create table domain_capture_offer (
  parent text not null,
  capture text not null,
  user_id text not null,
  choice text,
  answered_at timestamp with time zone,
  applied_at timestamp with time zone,
  PRIMARY KEY (parent, capture, user_id),
  FOREIGN KEY (parent, capture) REFERENCES domain_capture(parent, id) ON DELETE CASCADE DEFERRABLE,
  FOREIGN KEY (parent, user_id) REFERENCES app_user(parent, id) DEFERRABLE,
  CHECK (((applied_at IS NULL) OR (choice IS NOT NULL))),
  CHECK (((choice IS NULL) = (answered_at IS NULL))),
  CHECK ((choice = ANY (ARRAY['merge'::text, 'fresh'::text])))
);
CREATE INDEX domain_capture_offer_user ON public.domain_capture_offer USING btree (parent, user_id);
alter table domain_capture_offer enable row level security;
create policy domain_capture_offer_of_parent on domain_capture_offer for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select on domain_capture_offer to gatehouse_app;
grant update (answered_at, applied_at, choice) on domain_capture_offer to gatehouse_app;

-- Evidence: what each server said in a check, and what the check came to. The newest hundred rows of a domain are kept, and those of its last success.
create table domain_check (
  parent text not null,
  domain text not null,
  number integer not null,
  n integer not null,
  at timestamp with time zone not null,
  role text not null,
  resolver text not null,
  record text not null,
  rcode text not null,
  answer text[] not null,
  ttl integer,
  verdict text not null,
  PRIMARY KEY (parent, domain, number, n),
  FOREIGN KEY (parent, domain) REFERENCES domain(parent, id) ON DELETE CASCADE DEFERRABLE,
  CHECK ((cardinality(answer) <= 8)),
  CHECK ((role = ANY (ARRAY['authoritative'::text, 'recursive'::text])))
);
alter table domain_check enable row level security;
create policy domain_check_of_parent on domain_check for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant delete, insert, select on domain_check to gatehouse_app;

-- Sessions at older MCP servers, answers of clients to questions, and calls that go on after a question; sealed with a key derived from the root key, for at most a day. Nothing in it grants anything.
create table gateway_carried (
  org text not null,
  key text not null,
  sealed bytea not null,
  expires_at timestamp with time zone not null,
  PRIMARY KEY (org, key),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((length(key) >= 1) AND (length(key) <= 300)))
);
CREATE INDEX gateway_carried_over ON public.gateway_carried USING btree (org, expires_at);
alter table gateway_carried enable row level security;
create policy gateway_carried_of_org on gateway_carried for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant delete, insert, select, update on gateway_carried to gatehouse_app;

-- A running node of the gateway. When its lease is over, its open calls end as lost.
create table gateway_node (
  id text not null,
  started_at timestamp with time zone not null,
  lease_until timestamp with time zone not null,
  address text,
  PRIMARY KEY (id)
);
alter table gateway_node enable row level security;
create policy gateway_node_any on gateway_node for all to gatehouse_app using true with check true;
grant delete, insert, select, update on gateway_node to gatehouse_app;

-- A group gives a role, and perhaps a tier of seat. By id, or by the exact name that an identity provider gives a group, seen yet or not. group_id has no foreign key: a group that is gone gives nothing, and is shown so.
create table group_mapping (
  org text not null,
  id text not null,
  group_id text,
  name text,
  role text not null,
  seat_tier text,
  created_by text not null,
  created_at timestamp with time zone not null,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((group_id IS NULL) <> (name IS NULL))),
  CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'auditor'::text, 'user'::text])))
);
CREATE UNIQUE INDEX group_mapping_group ON public.group_mapping USING btree (org, group_id) WHERE (group_id IS NOT NULL);
CREATE UNIQUE INDEX group_mapping_name ON public.group_mapping USING btree (org, name) WHERE (name IS NOT NULL);
alter table group_mapping enable row level security;
create policy group_mapping_of_org on group_mapping for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant delete, insert, select on group_mapping to gatehouse_app;

-- Assertions (ID-JAG) that were taken and must not be taken again while they would still be valid: SHA-256 of their jti. The insert is the guard.
create table id_jag_seen (
  parent text not null,
  connection text not null,
  hash bytea not null,
  until timestamp with time zone not null,
  PRIMARY KEY (parent, connection, hash),
  FOREIGN KEY (parent, connection) REFERENCES sso_connection(parent, id) DEFERRABLE
);
CREATE INDEX id_jag_seen_until ON public.id_jag_seen USING btree (parent, until);
alter table id_jag_seen enable row level security;
create policy id_jag_seen_of_parent on id_jag_seen for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant delete, insert, select on id_jag_seen to gatehouse_app;

-- Which user an identity is. Keyed by connection, issuer and subject: never by e-mail, which an identity provider may let people choose.
create table identity_link (
  parent text not null,
  connection text not null,
  issuer text not null,
  subject text not null,
  user_id text not null,
  made_by text not null,
  linked_at timestamp with time zone not null,
  last_sign_in_at timestamp with time zone,
  PRIMARY KEY (parent, connection, issuer, subject),
  FOREIGN KEY (parent) REFERENCES parent(id),
  FOREIGN KEY (parent, connection) REFERENCES sso_connection(parent, id) DEFERRABLE,
  FOREIGN KEY (parent, user_id) REFERENCES app_user(parent, id) DEFERRABLE,
  CHECK ((made_by = ANY (ARRAY['directory'::text, 'person'::text, 'sign_in'::text])))
);
CREATE INDEX identity_link_user ON public.identity_link USING btree (parent, user_id);
alter table identity_link enable row level security;
create policy identity_link_of_parent on identity_link for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select on identity_link to gatehouse_app;
grant update (last_sign_in_at) on identity_link to gatehouse_app;

-- How an identity provider named a person at a sign-in, let in or not: for comparing with how a directory names them. Decides nothing. other_id: Entra's object id.
create table identity_seen (
  parent text not null,
  connection text not null,
  subject text not null,
  other_id text,
  email text,
  user_id text,
  first_seen_at timestamp with time zone not null,
  last_seen_at timestamp with time zone not null,
  PRIMARY KEY (parent, connection, subject),
  FOREIGN KEY (parent) REFERENCES parent(id),
  FOREIGN KEY (parent, user_id) REFERENCES app_user(parent, id) DEFERRABLE
);
CREATE INDEX identity_seen_email ON public.identity_seen USING btree (parent, lower(email));
CREATE INDEX identity_seen_user ON public.identity_seen USING btree (user_id) WHERE (user_id IS NOT NULL);
alter table identity_seen enable row level security;
create policy identity_seen_of_parent on identity_seen for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select, update on identity_seen to gatehouse_app;

-- A link that lets its holder do some set-up tasks for one org of one parent, until it ends. SHA-256 of the token only. created_by: the user who stands behind it. connection, directory, domains: what was made through it, and all that its holder sees; without foreign keys, because a merge may leave them with another parent.
create table idp_setup_link (
  parent text not null,
  org text not null,
  id text not null,
  hash bytea not null,
  name text not null,
  tasks text[] not null,
  activates boolean not null,
  allow_private text[] not null,
  created_by text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  opened_at timestamp with time zone,
  revoked_at timestamp with time zone,
  provider text,
  protocol text,
  connection text,
  directory text,
  domains text[] not null default '{}'::text[],
  PRIMARY KEY (id),
  UNIQUE (hash),
  UNIQUE (parent, id),
  FOREIGN KEY (org) REFERENCES org(id),
  FOREIGN KEY (parent) REFERENCES parent(id),
  CHECK (((protocol IS NULL) OR (provider IS NOT NULL))),
  CHECK (((tasks <@ ARRAY['domain'::text, 'sign_in'::text, 'directory'::text]) AND ((cardinality(tasks) >= 1) AND (cardinality(tasks) <= 3)))),
  CHECK ((expires_at <= (created_at + '30 days'::interval))),
  CHECK ((protocol = ANY (ARRAY['oidc'::text, 'saml'::text])))
);
CREATE INDEX idp_setup_link_of_org ON public.idp_setup_link USING btree (parent, org, id DESC);
alter table idp_setup_link enable row level security;
create policy idp_setup_link_of_parent on idp_setup_link for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select on idp_setup_link to gatehouse_app;
grant update (connection, directory, domains, opened_at, protocol, provider, revoked_at) on idp_setup_link to gatehouse_app;

-- A link in a mail that signs in its user once, in the browser that asked for it. The secret in the link is derived from the id and is nowhere kept. org: which organization's mail it is. browser_hash: SHA-256 of the asking browser's cookie.
create table mail_link (
  parent text not null,
  id text not null,
  user_id text not null,
  org text not null,
  browser_hash bytea not null,
  return_to text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  FOREIGN KEY (parent) REFERENCES parent(id),
  FOREIGN KEY (parent, user_id) REFERENCES app_user(parent, id) DEFERRABLE
);
CREATE INDEX mail_link_old ON public.mail_link USING btree (parent, expires_at);
alter table mail_link enable row level security;
create policy mail_link_of_parent on mail_link for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant delete, insert, select on mail_link to gatehouse_app;
grant update (used_at) on mail_link to gatehouse_app;

-- How often a link was asked for within an hour, per e-mail address and per client address: keyed hashes, whether there is such an account or not. Only count_mail_link_ask touches it.
create table mail_link_ask (
  scope text not null,
  hash bytea not null,
  hour timestamp with time zone not null,
  n integer not null,
  PRIMARY KEY (scope, hash, hour),
  CHECK ((scope = ANY (ARRAY['address'::text, 'client'::text])))
);
CREATE INDEX mail_link_ask_old ON public.mail_link_ask USING btree (hour);
alter table mail_link_ask enable row level security;

-- A user in an org, with a role.
create table member (
  org text not null,
  id text not null,
  user_id text not null,
  role text not null,
  created_at timestamp with time zone not null,
  PRIMARY KEY (id),
  UNIQUE (org, user_id),
  FOREIGN KEY (org) REFERENCES org(id),
  FOREIGN KEY (user_id) REFERENCES app_user(id),
  CHECK ((role = ANY (ARRAY['primary_owner'::text, 'owner'::text, 'admin'::text, 'auditor'::text, 'user'::text])))
);
CREATE UNIQUE INDEX member_primary_owner ON public.member USING btree (org) WHERE (role = 'primary_owner'::text);
CREATE INDEX member_user ON public.member USING btree (user_id);
alter table member enable row level security;
create policy member_of_org on member for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant delete, insert, select, update on member to gatehouse_app;
CREATE TRIGGER connections_ended AFTER DELETE ON public.member FOR EACH ROW EXECUTE FUNCTION connections_ended();
CREATE TRIGGER member_left AFTER DELETE ON public.member FOR EACH ROW EXECUTE FUNCTION member_left();
CREATE TRIGGER member_of_one_parent AFTER INSERT ON public.member FOR EACH ROW EXECUTE FUNCTION member_of_one_parent();

-- What provisioning knows of a member: where the membership came from, when the identity provider last stood behind it, and the seat, which is taken at the first sign-in. No row: added by hand, never signed in. Ends with the member.
create table member_seat (
  org text not null,
  member text not null,
  user_id text not null,
  source text not null,
  tier text,
  activated_at timestamp with time zone,
  last_sign_in_at timestamp with time zone,
  asserted_at timestamp with time zone,
  PRIMARY KEY (member),
  UNIQUE (org, member),
  FOREIGN KEY (member) REFERENCES member(id) ON DELETE CASCADE,
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK ((source = ANY (ARRAY['hand'::text, 'directory'::text, 'sign_in'::text])))
);
CREATE INDEX member_seat_taken ON public.member_seat USING btree (org, tier) WHERE (activated_at IS NOT NULL);
alter table member_seat enable row level security;
create policy member_seat_of_org on member_seat for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select, update on member_seat to gatehouse_app;

-- Somebody left an org, and why. Keeps a sign-in from quietly bringing them back. Ignored while they are a member, overwritten when they leave again.
create table membership_tombstone (
  org text not null,
  user_id text not null,
  role text not null,
  cause text not null,
  at timestamp with time zone not null,
  PRIMARY KEY (org, user_id),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK ((cause = ANY (ARRAY['hand'::text, 'directory'::text, 'unmapped'::text])))
);
alter table membership_tombstone enable row level security;
create policy membership_tombstone_of_org on membership_tombstone for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant delete, insert, select, update on membership_tombstone to gatehouse_app;

-- What an applied merge moved and joined, so that it can be undone. joined: id was the account, other is it now. entry: a directory entry that was set aside, and its account. attribute: a row that had to make place. Only apply_merge and undo_merge touch it.
create table merge_moved (
  parent text not null,
  merge text not null,
  kind text not null,
  id text not null,
  other text not null default ''::text,
  saved jsonb,
  PRIMARY KEY (merge, kind, id, other),
  FOREIGN KEY (merge) REFERENCES merge_proposal(id),
  CHECK ((kind = ANY (ARRAY['org'::text, 'user'::text, 'directory'::text, 'connection'::text, 'domain'::text, 'joined'::text, 'entry'::text, 'attribute'::text, 'group_made'::text, 'group_joined'::text])))
);
alter table merge_moved enable row level security;

-- A proposal that the parent `parent`, with all its orgs, joins `into_parent`; org and into_org are the two that talk. Seen by both sides. Approvals are bound to preview_hash, and end when it changes.
create table merge_proposal (
  parent text not null,
  id text not null,
  org text not null,
  org_name text not null,
  into_parent text not null,
  into_org text not null,
  into_name text not null,
  proposed_by text not null,
  proposed_from text not null,
  by_address boolean not null,
  shared_entries text not null,
  state text not null,
  opened_at timestamp with time zone,
  preview jsonb,
  preview_hash text,
  joining_by text,
  joining_at timestamp with time zone,
  receiving_by text,
  receiving_at timestamp with time zone,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  applied_at timestamp with time zone,
  undo_until timestamp with time zone,
  ended_at timestamp with time zone,
  ended_by text,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  FOREIGN KEY (into_org) REFERENCES org(id),
  FOREIGN KEY (into_parent) REFERENCES parent(id),
  FOREIGN KEY (org) REFERENCES org(id),
  FOREIGN KEY (parent) REFERENCES parent(id),
  CHECK (((joining_by IS DISTINCT FROM receiving_by) OR (joining_by IS NULL))),
  CHECK (((joining_by IS NULL) = (joining_at IS NULL))),
  CHECK (((preview IS NULL) = (preview_hash IS NULL))),
  CHECK (((receiving_by IS NULL) = (receiving_at IS NULL))),
  CHECK (((state <> ALL (ARRAY['approved_both'::text, 'applied'::text, 'undone'::text])) OR ((joining_by IS NOT NULL) AND (receiving_by IS NOT NULL) AND (preview_hash IS NOT NULL)))),
  CHECK (((state = ANY (ARRAY['applied'::text, 'undone'::text])) = ((applied_at IS NOT NULL) AND (undo_until IS NOT NULL)))),
  CHECK (((state = ANY (ARRAY['undone'::text, 'expired'::text, 'rejected'::text])) = (ended_at IS NOT NULL))),
  CHECK ((parent <> into_parent)),
  CHECK ((preview_hash ~ '^[0-9a-f]{64}$'::text)),
  CHECK ((proposed_from = ANY (ARRAY['joining'::text, 'receiving'::text]))),
  CHECK ((shared_entries = ANY (ARRAY['refuse'::text, 'receiving_decides'::text]))),
  CHECK ((state = ANY (ARRAY['draft'::text, 'sent'::text, 'approved_one'::text, 'approved_both'::text, 'applied'::text, 'undone'::text, 'expired'::text, 'rejected'::text, 'stale'::text])))
);
CREATE INDEX merge_proposal_due ON public.merge_proposal USING btree (expires_at) WHERE (state = ANY (ARRAY['draft'::text, 'sent'::text, 'approved_one'::text, 'approved_both'::text, 'stale'::text]));
CREATE INDEX merge_proposal_into ON public.merge_proposal USING btree (into_parent, id);
CREATE UNIQUE INDEX merge_proposal_open ON public.merge_proposal USING btree (parent, into_parent) WHERE (state = ANY (ARRAY['draft'::text, 'sent'::text, 'approved_one'::text, 'approved_both'::text, 'stale'::text]));
alter table merge_proposal enable row level security;
create policy merge_proposal_of_side on merge_proposal for all to gatehouse_app using ((app_parent() = parent) OR (app_parent() = into_parent)) with check ((app_parent() = parent) OR (app_parent() = into_parent));
grant insert, select on merge_proposal to gatehouse_app;
grant update (ended_at, ended_by, joining_at, joining_by, opened_at, preview, preview_hash, receiving_at, receiving_by, state) on merge_proposal to gatehouse_app;

-- How each table takes part in a merge. moves: rows with column parent go with what `within` names. ends: they are deleted instead, because they are sealed for their parent and only of use for days. person: col is an account that acts now, and follows when it is joined with another. group: col may be a group of an attribute. A migration with a new table of a parent adds its lines and ends with defer_parent_references(); server/org/merge-rules.test.ts finds one that does not.
create table merge_rule (
  tab text not null,
  col text not null,
  what text not null,
  scope text not null,
  within text not null,
  PRIMARY KEY (tab, col, what, scope),
  CHECK ((scope = ANY (ARRAY['org'::text, 'user'::text, 'directory'::text, 'connection'::text, 'domain'::text, 'scim_group'::text, 'capture'::text]))),
  CHECK ((what = ANY (ARRAY['moves'::text, 'ends'::text, 'person'::text, 'group'::text])))
);
alter table merge_rule enable row level security;

-- Something to tell one member: a kind and ids, no words; the words are made when it is sent. Queued with the change that it tells of. not_sent says why. user_id has no foreign key: the row outlives the membership.
create table message (
  org text not null,
  id text not null,
  user_id text not null,
  kind text not null,
  data jsonb not null,
  state text not null,
  why text,
  attempts integer not null default 0,
  created_at timestamp with time zone not null,
  settled_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((state = 'not_sent'::text) = (why IS NOT NULL))),
  CHECK (((state = 'queued'::text) = (settled_at IS NULL))),
  CHECK ((state = ANY (ARRAY['queued'::text, 'sent'::text, 'not_sent'::text]))),
  CHECK ((why = ANY (ARRAY['no_smtp'::text, 'too_many'::text, 'no_address'::text, 'suspended'::text, 'gone'::text, 'outdated'::text, 'refused'::text, 'given_up'::text])))
);
CREATE INDEX message_listed ON public.message USING btree (org, id DESC);
CREATE INDEX message_recent ON public.message USING btree (org, user_id, created_at);
alter table message enable row level security;
create policy message_of_org on message for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on message to gatehouse_app;
grant update (attempts, settled_at, state, why) on message to gatehouse_app;

-- What the authorization server remembers: clients, consents (model Grant), codes and refresh tokens by SHA-256 only, interactions sealed. Only the role gatehouse_oauth sees rows.
create table oauth_item (
  model text not null,
  id text not null,
  grant_id text,
  predecessor text,
  uid text,
  user_code text,
  account_id text,
  client_id text,
  client_name text,
  parent text,
  org text,
  payload jsonb not null,
  consumed_at timestamp with time zone,
  expires_at timestamp with time zone,
  created_at timestamp with time zone not null,
  connection text,
  PRIMARY KEY (model, id),
  CHECK (((model <> 'Grant'::text) OR ((parent IS NOT NULL) AND (org IS NOT NULL) AND (account_id IS NOT NULL) AND (client_id IS NOT NULL))))
);
CREATE INDEX oauth_item_account ON public.oauth_item USING btree (account_id) WHERE (account_id IS NOT NULL);
CREATE INDEX oauth_item_client ON public.oauth_item USING btree (client_id) WHERE (client_id IS NOT NULL);
CREATE INDEX oauth_item_consumed ON public.oauth_item USING btree (consumed_at) WHERE (consumed_at IS NOT NULL);
CREATE INDEX oauth_item_expires ON public.oauth_item USING btree (expires_at) WHERE (expires_at IS NOT NULL);
CREATE INDEX oauth_item_grant ON public.oauth_item USING btree (grant_id) WHERE (grant_id IS NOT NULL);
CREATE INDEX oauth_item_org ON public.oauth_item USING btree (org, id) WHERE (org IS NOT NULL);
CREATE INDEX oauth_item_predecessor ON public.oauth_item USING btree (predecessor) WHERE (predecessor IS NOT NULL);
CREATE UNIQUE INDEX oauth_item_uid ON public.oauth_item USING btree (uid) WHERE (uid IS NOT NULL);
CREATE UNIQUE INDEX oauth_item_user_code ON public.oauth_item USING btree (user_code) WHERE (user_code IS NOT NULL);
alter table oauth_item enable row level security;
create policy oauth_item_own_role on oauth_item for all to gatehouse_oauth using true with check true;
grant delete, insert, select, update on oauth_item to gatehouse_oauth;

-- Keys of our access tokens. Published first, signs later, retired last: whoever caches the public ones never meets an unknown key. The private half is sealed.
create table oauth_signing_key (
  kid text not null,
  public jsonb not null,
  sealed bytea not null,
  published_at timestamp with time zone not null,
  signs_from timestamp with time zone,
  retired_at timestamp with time zone,
  PRIMARY KEY (kid),
  CHECK (((retired_at IS NULL) OR (signs_from IS NOT NULL)))
);
CREATE UNIQUE INDEX oauth_signing_key_one_signs ON public.oauth_signing_key USING btree ((true)) WHERE ((signs_from IS NOT NULL) AND (retired_at IS NULL));
alter table oauth_signing_key enable row level security;
create policy oauth_signing_key_own_role on oauth_signing_key for all to gatehouse_oauth using true with check true;
create policy oauth_signing_key_public on oauth_signing_key for select to gatehouse_app using true;
grant delete, insert, select, update on oauth_signing_key to gatehouse_oauth;
grant select (kid, public) on oauth_signing_key to gatehouse_app;

-- Logout tokens that were taken and must not be taken again while they would still be valid: SHA-256 of their jti. The insert is the guard.
create table oidc_logout_seen (
  parent text not null,
  connection text not null,
  hash bytea not null,
  until timestamp with time zone not null,
  PRIMARY KEY (parent, connection, hash),
  FOREIGN KEY (parent, connection) REFERENCES sso_connection(parent, id) DEFERRABLE
);
CREATE INDEX oidc_logout_seen_until ON public.oidc_logout_seen USING btree (parent, until);
alter table oidc_logout_seen enable row level security;
create policy oidc_logout_seen_of_parent on oidc_logout_seen for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant delete, insert, select on oidc_logout_seen to gatehouse_app;

-- What the identity provider calls a session that it opened here: for back-channel logout.
create table oidc_session (
  parent text not null,
  session text not null,
  connection text not null,
  subject text not null,
  sid text,
  PRIMARY KEY (parent, session),
  FOREIGN KEY (parent, connection) REFERENCES sso_connection(parent, id) DEFERRABLE,
  FOREIGN KEY (parent, session) REFERENCES session(parent, id) ON DELETE CASCADE DEFERRABLE
);
CREATE INDEX oidc_session_sid ON public.oidc_session USING btree (parent, connection, sid);
CREATE INDEX oidc_session_subject ON public.oidc_session USING btree (parent, connection, subject);
alter table oidc_session enable row level security;
create policy oidc_session_of_parent on oidc_session for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select on oidc_session to gatehouse_app;

-- The OpenAPI document that a connector was imported by last. source: the address it was fetched from (null: it was given). generation counts imports; operations are cached by it.
create table openapi_document (
  org text not null,
  connector text not null,
  source text,
  sha256 text not null,
  openapi text not null,
  title text not null,
  service_version text not null,
  generation integer not null,
  imported_by text not null,
  imported_at timestamp with time zone not null,
  PRIMARY KEY (org, connector),
  FOREIGN KEY (org, connector) REFERENCES connector(org, id),
  CHECK ((generation > 0)),
  CHECK ((openapi = ANY (ARRAY['3.0'::text, '3.1'::text]))),
  CHECK ((sha256 ~ '^[0-9a-f]{64}$'::text))
);
alter table openapi_document enable row level security;
create policy openapi_document_of_org on openapi_document for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on openapi_document to gatehouse_app;
grant update (generation, imported_at, imported_by, openapi, service_version, sha256, source, title) on openapi_document to gatehouse_app;

-- An operation that an administrator chose, by the name of its tool. key: method and path; n: its place in the document; operation: JSON of what a call sends and what its arguments must be. What of it may be used, the reviews of its tool say.
create table openapi_operation (
  org text not null,
  connector text not null,
  name text not null,
  key text not null,
  n integer not null,
  operation text not null,
  PRIMARY KEY (org, connector, name),
  UNIQUE (org, connector, key),
  FOREIGN KEY (org, connector) REFERENCES openapi_document(org, connector)
);
alter table openapi_operation enable row level security;
create policy openapi_operation_of_org on openapi_operation for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant delete, insert, select on openapi_operation to gatehouse_app;

-- Organization. Lives in one region; its rows, keys and log stay there.
create table org (
  parent text not null,
  id text not null,
  name text not null,
  surface text not null,
  region text not null default 'local'::text,
  created_at timestamp with time zone not null,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  FOREIGN KEY (parent) REFERENCES parent(id),
  CHECK ((surface = ANY (ARRAY['workspace'::text, 'console'::text])))
);
alter table org enable row level security;
create policy org_of_parent on org for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select, update on org to gatehouse_app;

-- How an org wants its people to come in. Null: the usual length. addresses: CIDRs; empty lets every address in. passkeys: its people may sign in with one. Of a person's orgs the strictest length counts.
create table org_access (
  org text not null,
  session_idle_s integer,
  session_max_s integer,
  addresses text[] not null default '{}'::text[],
  passkeys boolean not null default false,
  changed_at timestamp with time zone not null,
  mail_links boolean not null default false,
  PRIMARY KEY (org),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((session_idle_s >= 900) AND (session_idle_s <= 604800))),
  CHECK (((session_max_s >= 3600) AND (session_max_s <= 2592000)))
);
alter table org_access enable row level security;
create policy org_access_of_org on org_access for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select, update on org_access to gatehouse_app;

-- A group that no directory pushed: made by hand in an org, or the value of an attribute that an identity provider sent at a sign-in (then it is the parent's).
create table org_group (
  parent text not null,
  id text not null,
  org text,
  source text not null,
  attribute text,
  name text not null,
  first_seen_at timestamp with time zone not null,
  last_seen_at timestamp with time zone not null,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  FOREIGN KEY (parent) REFERENCES parent(id),
  FOREIGN KEY (parent, org) REFERENCES org(parent, id) DEFERRABLE,
  CHECK (((source = 'attribute'::text) = (attribute IS NOT NULL))),
  CHECK (((source = 'hand'::text) = (org IS NOT NULL))),
  CHECK ((source = ANY (ARRAY['attribute'::text, 'hand'::text])))
);
CREATE UNIQUE INDEX org_group_attribute ON public.org_group USING btree (parent, attribute, name) WHERE (attribute IS NOT NULL);
CREATE UNIQUE INDEX org_group_hand ON public.org_group USING btree (org, lower(name)) WHERE (org IS NOT NULL);
CREATE INDEX org_group_name ON public.org_group USING btree (parent, name);
alter table org_group enable row level security;
create policy org_group_of_parent on org_group for all to gatehouse_app using ((parent = app_parent()) AND ((org IS NULL) OR (org = app_org()))) with check ((parent = app_parent()) AND ((org IS NULL) OR (org = app_org())));
grant delete, insert, select, update on org_group to gatehouse_app;

-- Who is in an org_group: by hand, or as of the person's latest sign-in. org is the group's.
create table org_group_member (
  parent text not null,
  org text,
  group_id text not null,
  user_id text not null,
  asserted_at timestamp with time zone not null,
  PRIMARY KEY (group_id, user_id),
  FOREIGN KEY (parent, group_id) REFERENCES org_group(parent, id) ON DELETE CASCADE DEFERRABLE,
  FOREIGN KEY (parent, user_id) REFERENCES app_user(parent, id) DEFERRABLE
);
CREATE INDEX org_group_member_user ON public.org_group_member USING btree (user_id, group_id);
alter table org_group_member enable row level security;
create policy org_group_member_of_parent on org_group_member for all to gatehouse_app using ((parent = app_parent()) AND ((org IS NULL) OR (org = app_org()))) with check ((parent = app_parent()) AND ((org IS NULL) OR (org = app_org())));
grant delete, insert, select, update on org_group_member to gatehouse_app;

-- How people come into an org. No row: scim_permissive where it has a directory, login_only where it has none. domains: for whose addresses a sign-in may make an account. Readable in the whole parent, because a directory's change can matter to a sister org.
create table org_provisioning (
  parent text not null,
  org text not null,
  mode text not null,
  prefix text not null,
  domains text[] not null,
  version integer not null,
  changed_at timestamp with time zone not null,
  changed_by text not null,
  PRIMARY KEY (org),
  FOREIGN KEY (parent, org) REFERENCES org(parent, id) DEFERRABLE,
  CHECK ((mode = ANY (ARRAY['login_only'::text, 'jit_permissive'::text, 'jit_advanced'::text, 'scim_permissive'::text, 'scim_advanced'::text]))),
  CHECK ((prefix ~ '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$'::text))
);
CREATE INDEX org_provisioning_parent ON public.org_provisioning USING btree (parent, org);
alter table org_provisioning enable row level security;
create policy org_provisioning_insert on org_provisioning for insert to gatehouse_app with check ((parent = app_parent()) AND (org = app_org()));
create policy org_provisioning_read on org_provisioning for select to gatehouse_app using (parent = app_parent());
create policy org_provisioning_update on org_provisioning for update to gatehouse_app using ((parent = app_parent()) AND (org = app_org())) with check ((parent = app_parent()) AND (org = app_org()));
grant insert, select, update on org_provisioning to gatehouse_app;

-- A key in an org's own key service, which wraps the org's keys instead of the deployment's. config: where it is; sealed: what proves us there, under the deployment, because the org's own keys need it to be opened. state: what the service last said.
create table own_key (
  org text not null,
  id text not null,
  kind text not null,
  config jsonb not null,
  sealed bytea not null,
  state text not null,
  state_since timestamp with time zone not null,
  named_by text not null,
  named_at timestamp with time zone not null,
  PRIMARY KEY (org),
  UNIQUE (id),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK ((kind = ANY (ARRAY['vault-transit'::text, 'aws-kms'::text]))),
  CHECK ((state = ANY (ARRAY['good'::text, 'unreachable'::text, 'gone'::text])))
);
alter table own_key enable row level security;
create policy own_key_of_org on own_key for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant delete, insert, select on own_key to gatehouse_app;
grant update (config, id, kind, named_at, named_by, sealed, state, state_since) on own_key to gatehouse_app;

-- Parent organization: owns domains, SSO connections, directories and users; ties organizations together.
create table parent (
  id text not null,
  name text not null,
  created_at timestamp with time zone not null,
  PRIMARY KEY (id)
);
alter table parent enable row level security;
create policy parent_own on parent for all to gatehouse_app using (id = app_parent()) with check (id = app_parent());
grant insert, select, update on parent to gatehouse_app;

-- A WebAuthn credential of a user: the public half. used_at: the last sign-in with it, which is the proof that a break-glass account works. challenge_at: when the last challenge that was answered had been made, in ms; an older one is not taken any more.
create table passkey (
  parent text not null,
  id text not null,
  user_id text not null,
  credential_id text not null,
  public_key bytea not null,
  counter bigint not null,
  transports text[] not null,
  name text not null,
  backed_up boolean not null,
  created_at timestamp with time zone not null,
  used_at timestamp with time zone,
  challenge_at bigint not null,
  PRIMARY KEY (id),
  UNIQUE (credential_id),
  UNIQUE (parent, id),
  FOREIGN KEY (parent) REFERENCES parent(id),
  FOREIGN KEY (parent, user_id) REFERENCES app_user(parent, id) DEFERRABLE
);
CREATE INDEX passkey_of_user ON public.passkey USING btree (parent, user_id, id);
alter table passkey enable row level security;
create policy passkey_of_parent on passkey for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant delete, insert, select on passkey to gatehouse_app;
grant update (backed_up, challenge_at, counter, used_at) on passkey to gatehouse_app;

-- Which access everyone, a group or a person has to a connector (null: to every one) without any rule. blocked: none, whatever a rule says; off: none but by rules. In force from the version since until before the version until. who_id and connector have no foreign key: a control of what is gone does nothing.
create table policy_control (
  org text not null,
  id text not null,
  who_kind text not null,
  who_id text,
  connector text,
  access text not null,
  set_by text not null,
  set_at timestamp with time zone not null,
  since integer not null,
  until integer,
  PRIMARY KEY (org, id, since),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((who_kind = 'everyone'::text) = (who_id IS NULL))),
  CHECK (((who_kind = 'everyone'::text) OR (access <> 'off'::text))),
  CHECK ((access = ANY (ARRAY['blocked'::text, 'off'::text, 'read'::text, 'read_write'::text]))),
  CHECK ((who_kind = ANY (ARRAY['everyone'::text, 'group'::text, 'user'::text])))
);
CREATE UNIQUE INDEX policy_control_live ON public.policy_control USING btree (org, COALESCE(connector, ''::text), who_kind, COALESCE(who_id, ''::text)) WHERE (until IS NULL);
alter table policy_control enable row level security;
create policy policy_control_of_org on policy_control for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on policy_control to gatehouse_app;
grant update (until) on policy_control to gatehouse_app;

-- What holds in an org where nothing else is said, and by whose clock rules speak of time. after_reading: what becomes of an outward action of a session that has read untrusted and private content in the last session_hours. No row: regulated, which is everything off until it is allowed, UTC, ask, 8 hours. In force from the version since until before the version until.
create table policy_setting (
  org text not null,
  mode text not null,
  default_access text not null,
  time_zone text not null,
  set_by text not null,
  set_at timestamp with time zone not null,
  since integer not null,
  until integer,
  after_reading text not null,
  session_hours integer not null,
  PRIMARY KEY (org, since),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((mode = 'regulated'::text) = (default_access = 'off'::text))),
  CHECK (((session_hours >= 1) AND (session_hours <= 168))),
  CHECK ((after_reading = ANY (ARRAY['ask'::text, 'forbid'::text, 'off'::text]))),
  CHECK ((default_access = ANY (ARRAY['off'::text, 'read'::text, 'read_write'::text]))),
  CHECK ((mode = ANY (ARRAY['regulated'::text, 'open'::text])))
);
CREATE UNIQUE INDEX policy_setting_live ON public.policy_setting USING btree (org) WHERE (until IS NULL);
alter table policy_setting enable row level security;
create policy policy_setting_of_org on policy_setting for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on policy_setting to gatehouse_app;
grant update (until) on policy_setting to gatehouse_app;

-- Whether connectors of a type of the catalogue may be used at all (off: by nobody, groups: by nobody but those of policy_type_group, whatever a rule says), and which access those who may have without any rule. No row: on, and none but by rules. In force from the version since until before the version until.
create table policy_type_control (
  org text not null,
  id text not null,
  type text not null,
  state text not null,
  access text not null,
  set_by text not null,
  set_at timestamp with time zone not null,
  since integer not null,
  until integer,
  PRIMARY KEY (org, id, since),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((state <> 'off'::text) OR (access = 'off'::text))),
  CHECK ((access = ANY (ARRAY['off'::text, 'read'::text, 'read_write'::text]))),
  CHECK ((state = ANY (ARRAY['on'::text, 'groups'::text, 'off'::text]))),
  CHECK ((type ~ '^[a-z0-9](-?[a-z0-9])*$'::text))
);
CREATE UNIQUE INDEX policy_type_control_live ON public.policy_type_control USING btree (org, type) WHERE (until IS NULL);
alter table policy_type_control enable row level security;
create policy policy_type_control_of_org on policy_type_control for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on policy_type_control to gatehouse_app;
grant update (until) on policy_type_control to gatehouse_app;

-- The groups to which a control of a type is restricted. group_id has no foreign key: a group that is gone lets nobody in.
create table policy_type_group (
  org text not null,
  control text not null,
  since integer not null,
  group_id text not null,
  PRIMARY KEY (org, control, since, group_id),
  FOREIGN KEY (org, control, since) REFERENCES policy_type_control(org, id, since)
);
alter table policy_type_group enable row level security;
create policy policy_type_group_of_org on policy_type_group for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on policy_type_group to gatehouse_app;

-- One state of the policies of an org: hash names exactly what they said, kind and about what was changed, restored which version it brought back. What was in it are the rules, settings, controls and Cedar with since <= number and until null or > number. Version 0 is what was there before the first.
create table policy_version (
  org text not null,
  number integer not null,
  hash text not null,
  kind text not null,
  about text,
  restored integer,
  reason text,
  made_by text not null,
  made_at timestamp with time zone not null,
  PRIMARY KEY (org, number),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK ((number > 0))
);
alter table policy_version enable row level security;
create policy policy_version_of_org on policy_version for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on policy_version to gatehouse_app;

-- People whom no identity provider may lower, remove or suspend: break-glass accounts. The primary owner needs no row.
create table provisioning_exempt (
  org text not null,
  user_id text not null,
  why text not null,
  set_by text not null,
  set_at timestamp with time zone not null,
  PRIMARY KEY (org, user_id),
  FOREIGN KEY (org) REFERENCES org(id),
  FOREIGN KEY (user_id) REFERENCES app_user(id)
);
alter table provisioning_exempt enable row level security;
create policy provisioning_exempt_of_org on provisioning_exempt for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant delete, insert, select, update on provisioning_exempt to gatehouse_app;

-- A change of mode, mappings, prefix or domains that somebody looked at. hash: over everything that it was computed from; it is applied only while that is still true.
create table provisioning_plan (
  org text not null,
  id text not null,
  hash text not null,
  version integer not null,
  target jsonb not null,
  summary jsonb not null,
  made_by text not null,
  made_at timestamp with time zone not null,
  applied_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  FOREIGN KEY (org) REFERENCES org(id)
);
alter table provisioning_plan enable row level security;
create policy provisioning_plan_of_org on provisioning_plan for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on provisioning_plan to gatehouse_app;
grant update (applied_at) on provisioning_plan to gatehouse_app;

-- One person whom a plan touches.
create table provisioning_plan_line (
  org text not null,
  plan text not null,
  user_id text not null,
  what text not null,
  from_role text,
  to_role text,
  at_next_sign_in boolean not null,
  because text not null,
  PRIMARY KEY (org, plan, user_id),
  FOREIGN KEY (org) REFERENCES org(id),
  FOREIGN KEY (org, plan) REFERENCES provisioning_plan(org, id),
  CHECK ((what = ANY (ARRAY['gains'::text, 'loses'::text, 'raised'::text, 'lowered'::text])))
);
alter table provisioning_plan_line enable row level security;
create policy provisioning_plan_line_of_org on provisioning_plan_line for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on provisioning_plan_line to gatehouse_app;

-- What an identity provider took from people. done: at once. held: the brake found too much at once, and people wait for an owner to apply or discard. withdrawn: the identity provider took it back itself.
create table provisioning_removal (
  org text not null,
  id text not null,
  directory text,
  entry text,
  group_id text,
  user_id text not null,
  kind text not null,
  state text not null,
  at timestamp with time zone not null,
  decided_at timestamp with time zone,
  decided_by text,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((state = ANY (ARRAY['done'::text, 'held'::text])) = (decided_at IS NULL))),
  CHECK ((kind = ANY (ARRAY['disabled'::text, 'deleted'::text, 'unmapped'::text, 'lowered'::text]))),
  CHECK ((state = ANY (ARRAY['done'::text, 'held'::text, 'applied'::text, 'discarded'::text, 'withdrawn'::text])))
);
CREATE UNIQUE INDEX provisioning_removal_held ON public.provisioning_removal USING btree (org, user_id) WHERE (state = 'held'::text);
CREATE INDEX provisioning_removal_window ON public.provisioning_removal USING btree (org, directory, at) WHERE (state = 'done'::text);
alter table provisioning_removal enable row level security;
create policy provisioning_removal_of_org on provisioning_removal for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select, update on provisioning_removal to gatehouse_app;

-- Content that was stopped and waits for reviewers: sealed for this row, with what was found. same: keyed hash of who asked for what, by which the identical request gets it once after the release. asker is null for a key.
create table quarantine (
  org text not null,
  id text not null,
  phase text not null,
  same bytea not null,
  call text not null,
  connector text,
  tool text,
  asker text,
  asker_user text,
  client text not null,
  sealed bytea,
  bytes integer not null,
  findings jsonb not null,
  detectors text[] not null,
  needs integer not null,
  state text not null,
  kept_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((state = ANY (ARRAY['waiting'::text, 'released'::text])) = (ended_at IS NULL))),
  CHECK (((state = ANY (ARRAY['waiting'::text, 'released'::text])) = (sealed IS NOT NULL))),
  CHECK ((needs = ANY (ARRAY[1, 2]))),
  CHECK ((phase = ANY (ARRAY['arguments'::text, 'result'::text, 'prompt'::text, 'output'::text, 'file_in'::text, 'file_out'::text]))),
  CHECK ((state = ANY (ARRAY['waiting'::text, 'released'::text, 'delivered'::text, 'discarded'::text, 'expired'::text])))
);
CREATE INDEX quarantine_asker ON public.quarantine USING btree (org, asker) WHERE (state = ANY (ARRAY['waiting'::text, 'released'::text]));
CREATE INDEX quarantine_expiring ON public.quarantine USING btree (expires_at) WHERE (state = ANY (ARRAY['waiting'::text, 'released'::text]));
CREATE INDEX quarantine_listed ON public.quarantine USING btree (org, kept_at DESC, id DESC);
CREATE UNIQUE INDEX quarantine_open ON public.quarantine USING btree (org, same) WHERE (state = ANY (ARRAY['waiting'::text, 'released'::text]));
alter table quarantine enable row level security;
create policy quarantine_of_org on quarantine for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on quarantine to gatehouse_app;
grant update (asker_user, ended_at, expires_at, sealed, state) on quarantine to gatehouse_app;

-- Who wants kept content released or discarded. As many different people must release it as the row needs; one discards it.
create table quarantine_decision (
  org text not null,
  quarantine text not null,
  reviewer text not null,
  decision text not null,
  reason text,
  decided_at timestamp with time zone not null,
  PRIMARY KEY (org, quarantine, reviewer, decision),
  FOREIGN KEY (org, quarantine) REFERENCES quarantine(org, id),
  CHECK ((decision = ANY (ARRAY['release'::text, 'discard'::text])))
);
alter table quarantine_decision enable row level security;
create policy quarantine_decision_of_org on quarantine_decision for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on quarantine_decision to gatehouse_app;

-- A sentence of an admin about who may use which tools (ask: what others let them use waits for a yes all the same); compiled to Cedar when it is loaded. In force from the version `since` until before the version `until`. `connector` null means every connector. Removed rules stay, so that the log can be read. `who_id`, `approver_id` and `connector` have no foreign key: a rule about what is gone applies to nobody.
create table rule (
  org text not null,
  id text not null,
  name text not null,
  effect text not null,
  asks text,
  who_kind text not null,
  who_id text,
  connector text,
  tool_classes text[],
  tool_names text[],
  created_by text not null,
  created_at timestamp with time zone not null,
  removed_by text,
  removed_at timestamp with time zone,
  conditions jsonb not null default '[]'::jsonb,
  approver_kind text,
  approver_id text,
  second_person boolean,
  desktop_only boolean,
  fresh boolean,
  since integer not null default 0,
  until integer,
  PRIMARY KEY (org, id, since),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK ((((NOT (asks IS DISTINCT FROM 'always'::text)) OR (effect = 'ask'::text)) = (approver_kind IS NOT NULL))),
  CHECK ((((approver_kind IS NULL) = (second_person IS NULL)) AND ((approver_kind IS NULL) = (desktop_only IS NULL)) AND ((approver_kind IS NULL) = (fresh IS NULL)))),
  CHECK (((approver_kind = ANY (ARRAY['group'::text, 'user'::text])) = (approver_id IS NOT NULL))),
  CHECK (((effect = 'allow'::text) = (asks IS NOT NULL))),
  CHECK (((effect = 'forbid'::text) OR (tool_names IS NULL) OR (connector IS NOT NULL))),
  CHECK (((removed_at IS NULL) = (removed_by IS NULL))),
  CHECK (((tool_classes <@ ARRAY['read'::text, 'write'::text, 'destructive'::text]) AND (cardinality(tool_classes) > 0))),
  CHECK (((tool_classes IS NULL) <> (tool_names IS NULL))),
  CHECK (((until IS NULL) = (removed_at IS NULL))),
  CHECK (((who_kind = 'everyone'::text) = (who_id IS NULL))),
  CHECK ((approver_kind = ANY (ARRAY['deciders'::text, 'manager'::text, 'self'::text, 'group'::text, 'user'::text]))),
  CHECK ((asks = ANY (ARRAY['never'::text, 'always'::text]))),
  CHECK ((cardinality(tool_names) > 0)),
  CHECK ((effect = ANY (ARRAY['allow'::text, 'ask'::text, 'forbid'::text]))),
  CHECK ((who_kind = ANY (ARRAY['everyone'::text, 'group'::text, 'user'::text])))
);
CREATE INDEX rule_live ON public.rule USING btree (org, id) WHERE (removed_at IS NULL);
CREATE UNIQUE INDEX rule_name ON public.rule USING btree (org, lower(name)) WHERE (removed_at IS NULL);
alter table rule enable row level security;
create policy rule_of_org on rule for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on rule to gatehouse_app;
grant update (removed_at, removed_by, until) on rule to gatehouse_app;

-- A certificate whose key a connection trusts; several at once while the identity provider changes keys. warned_days: how near its end was when that was last told.
create table saml_certificate (
  parent text not null,
  connection text not null,
  fingerprint text not null,
  certificate bytea not null,
  subject text not null,
  not_before timestamp with time zone not null,
  not_after timestamp with time zone not null,
  source text not null,
  added_at timestamp with time zone not null,
  warned_days integer,
  PRIMARY KEY (parent, connection, fingerprint),
  FOREIGN KEY (parent, connection) REFERENCES saml_connection(parent, connection) DEFERRABLE,
  CHECK ((source = ANY (ARRAY['metadata'::text, 'hand'::text])))
);
CREATE INDEX saml_certificate_end ON public.saml_certificate USING btree (not_after);
alter table saml_certificate enable row level security;
create policy saml_certificate_of_parent on saml_certificate for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant delete, insert, select on saml_certificate to gatehouse_app;
grant update (warned_days) on saml_certificate to gatehouse_app;

-- The SAML part of an sso_connection: where requests go and how strictly answers are read. org: whose address (ACS) and entity ID the identity provider uses. metadata_problem: the code of the last failed refresh.
create table saml_connection (
  parent text not null,
  connection text not null,
  org text not null,
  sign_in_url text not null,
  sign_in_binding text not null,
  logout_url text,
  logout_response_url text,
  logout_binding text,
  sign_requests boolean not null,
  idp_initiated boolean not null,
  must_encrypt boolean not null,
  clock_skew_s integer not null,
  sha1_until timestamp with time zone,
  expired_certificate text not null,
  name_id_format text,
  groups_overage text not null,
  email_domains text[] not null,
  attribute_map jsonb not null,
  metadata_url text,
  metadata_signed_by text,
  metadata_checked_at timestamp with time zone,
  metadata_problem text,
  metadata_valid_until timestamp with time zone,
  PRIMARY KEY (connection),
  UNIQUE (parent, connection),
  FOREIGN KEY (parent, connection) REFERENCES sso_connection(parent, id) DEFERRABLE,
  FOREIGN KEY (parent, org) REFERENCES org(parent, id) DEFERRABLE,
  CHECK (((clock_skew_s >= 0) AND (clock_skew_s <= 120))),
  CHECK (((logout_url IS NULL) = (logout_binding IS NULL))),
  CHECK ((expired_certificate = ANY (ARRAY['warn'::text, 'refuse'::text]))),
  CHECK ((groups_overage = ANY (ARRAY['refuse'::text, 'keep'::text]))),
  CHECK ((logout_binding = ANY (ARRAY['redirect'::text, 'post'::text]))),
  CHECK ((sign_in_binding = ANY (ARRAY['redirect'::text, 'post'::text])))
);
CREATE INDEX saml_connection_org ON public.saml_connection USING btree (parent, org);
alter table saml_connection enable row level security;
create policy saml_connection_of_parent on saml_connection for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select, update on saml_connection to gatehouse_app;

-- Our own keys as a service provider, one entity per org: the newest signs, all that are not retired decrypt. The private key is sealed.
create table saml_key (
  parent text not null,
  org text not null,
  id text not null,
  certificate bytea not null,
  private_sealed bytea not null,
  created_at timestamp with time zone not null,
  retired_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  FOREIGN KEY (parent, org) REFERENCES org(parent, id) DEFERRABLE
);
CREATE UNIQUE INDEX saml_key_order ON public.saml_key USING btree (parent, org, created_at, id);
alter table saml_key enable row level security;
create policy saml_key_of_parent on saml_key for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select on saml_key to gatehouse_app;
grant update (retired_at) on saml_key to gatehouse_app;

-- A logout request of ours that the identity provider has not answered. Used once: taken by delete.
create table saml_logout (
  parent text not null,
  request_hash bytea not null,
  connection text not null,
  session text not null,
  started_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  PRIMARY KEY (request_hash),
  FOREIGN KEY (parent, connection) REFERENCES saml_connection(parent, connection) DEFERRABLE,
  FOREIGN KEY (parent, session) REFERENCES session(parent, id) DEFERRABLE
);
CREATE INDEX saml_logout_old ON public.saml_logout USING btree (parent, expires_at);
alter table saml_logout enable row level security;
create policy saml_logout_of_parent on saml_logout for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant delete, insert, select on saml_logout to gatehouse_app;

-- A refused response as it came, sealed, for seven days: so that an administrator can judge it again with the configuration of then. expected: what it was held against besides the configuration.
create table saml_message (
  parent text not null,
  trace text not null,
  connection text not null,
  sealed bytea not null,
  expected jsonb not null,
  kept_until timestamp with time zone not null,
  PRIMARY KEY (trace),
  FOREIGN KEY (parent, connection) REFERENCES saml_connection(parent, connection) DEFERRABLE,
  FOREIGN KEY (parent, trace) REFERENCES sign_in_trace(parent, id) DEFERRABLE
);
CREATE INDEX saml_message_old ON public.saml_message USING btree (parent, kept_until);
alter table saml_message enable row level security;
create policy saml_message_of_parent on saml_message for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant delete, insert, select on saml_message to gatehouse_app;

-- Messages that were taken and must not be taken again while they would still be valid: SHA-256 of their ID. The insert is the guard.
create table saml_seen (
  parent text not null,
  connection text not null,
  what text not null,
  hash bytea not null,
  until timestamp with time zone not null,
  PRIMARY KEY (parent, connection, what, hash),
  FOREIGN KEY (parent, connection) REFERENCES saml_connection(parent, connection) DEFERRABLE,
  CHECK ((what = ANY (ARRAY['assertion'::text, 'logout_request'::text])))
);
CREATE INDEX saml_seen_until ON public.saml_seen USING btree (parent, until);
alter table saml_seen enable row level security;
create policy saml_seen_of_parent on saml_seen for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant delete, insert, select on saml_seen to gatehouse_app;

-- What the identity provider calls a session that it opened here: for single logout, in either direction.
create table saml_session (
  parent text not null,
  session text not null,
  connection text not null,
  name_id text not null,
  name_id_format text not null,
  name_qualifier text,
  sp_name_qualifier text,
  session_index text,
  PRIMARY KEY (parent, session),
  FOREIGN KEY (parent, connection) REFERENCES saml_connection(parent, connection) DEFERRABLE,
  FOREIGN KEY (parent, session) REFERENCES session(parent, id) DEFERRABLE
);
CREATE INDEX saml_session_name ON public.saml_session USING btree (parent, connection, name_id);
alter table saml_session enable row level security;
create policy saml_session_of_parent on saml_session for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select on saml_session to gatehouse_app;

-- Which files of server/schema have been applied.
create table schema_migration (
  name text not null,
  hash text not null,
  at timestamp with time zone not null default now(),
  PRIMARY KEY (name)
);
-- NO ROW LEVEL SECURITY

-- An OAuth client of a directory (client credentials): SHA-256 of its secret only. It trades the secret for tokens of an hour, which end with it.
create table scim_client (
  parent text not null,
  id text not null,
  directory text not null,
  hash bytea not null,
  created_by text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  last_used_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  FOREIGN KEY (parent, directory) REFERENCES directory(parent, id) DEFERRABLE
);
CREATE INDEX scim_client_directory ON public.scim_client USING btree (parent, directory);
alter table scim_client enable row level security;
create policy scim_client_of_parent on scim_client for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select on scim_client to gatehouse_app;
grant update (last_used_at, revoked_at) on scim_client to gatehouse_app;

-- Live users and groups of each directory, kept by triggers; the sum over its slots counts. A full list is counted here and not by looking at every row.
create table scim_count (
  parent text not null,
  directory text not null,
  slot integer not null,
  users bigint not null default 0,
  groups bigint not null default 0,
  PRIMARY KEY (directory, slot)
);
alter table scim_count enable row level security;
create policy scim_count_of_parent on scim_count for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select, update on scim_count to gatehouse_app;

-- The e-mails of scim_user.attributes once more, one row each and case folded, so that a filter by e-mail has an index.
create table scim_email (
  parent text not null,
  directory text not null,
  scim_user text not null,
  position integer not null,
  value_key text,
  type_key text,
  display_key text,
  is_primary boolean,
  PRIMARY KEY (scim_user, "position"),
  FOREIGN KEY (parent, scim_user) REFERENCES scim_user(parent, id) DEFERRABLE
);
CREATE INDEX scim_email_value ON public.scim_email USING btree (directory, value_key);
alter table scim_email enable row level security;
create policy scim_email_of_parent on scim_email for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant delete, insert, select on scim_email to gatehouse_app;

-- A group as a directory names it. Policy rules refer to its id.
create table scim_group (
  parent text not null,
  id text not null,
  directory text not null,
  display_name text not null,
  display_name_key text not null,
  external_id text,
  version integer not null default 1,
  created_at timestamp with time zone not null,
  changed_at timestamp with time zone not null,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  FOREIGN KEY (parent, directory) REFERENCES directory(parent, id) DEFERRABLE
);
CREATE UNIQUE INDEX scim_group_external ON public.scim_group USING btree (directory, external_id) WHERE (external_id IS NOT NULL);
CREATE UNIQUE INDEX scim_group_name ON public.scim_group USING btree (directory, display_name_key);
CREATE INDEX scim_group_named ON public.scim_group USING btree (parent, display_name);
CREATE INDEX scim_group_order ON public.scim_group USING btree (directory, id);
alter table scim_group enable row level security;
create policy scim_group_of_parent on scim_group for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant delete, insert, select, update on scim_group to gatehouse_app;
CREATE TRIGGER scim_group_added AFTER INSERT ON public.scim_group REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION scim_group_counted();
CREATE TRIGGER scim_group_ended AFTER DELETE ON public.scim_group REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION scim_group_counted();

-- Requests of a directory as they came (secrets taken out), what they meant, what they changed, how they ended. A change is noted in its own transaction, the rest in batches. Kept for directory.journal_days.
create table scim_journal (
  parent text not null,
  directory text not null,
  id text not null,
  at timestamp with time zone not null,
  request text not null,
  operation integer,
  token text not null,
  method text not null,
  path text not null,
  resource text,
  people text[] not null,
  status integer not null,
  ms real not null,
  body text,
  bytes integer not null,
  meant json not null,
  changed json not null,
  problem json,
  PRIMARY KEY (directory, id)
);
CREATE INDEX scim_journal_refused ON public.scim_journal USING btree (directory, id) WHERE (status >= 400);
CREATE INDEX scim_journal_resource ON public.scim_journal USING btree (directory, resource, id) WHERE (resource IS NOT NULL);
alter table scim_journal enable row level security;
create policy scim_journal_of_parent on scim_journal for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select on scim_journal to gatehouse_app;

-- Who is in a group: a row each, so that two changes of different people never meet.
create table scim_membership (
  parent text not null,
  group_id text not null,
  scim_user text not null,
  asserted_at timestamp with time zone not null,
  PRIMARY KEY (group_id, scim_user),
  FOREIGN KEY (parent, group_id) REFERENCES scim_group(parent, id) DEFERRABLE,
  FOREIGN KEY (parent, scim_user) REFERENCES scim_user(parent, id) DEFERRABLE
);
CREATE INDEX scim_membership_user ON public.scim_membership USING btree (scim_user, group_id);
alter table scim_membership enable row level security;
create policy scim_membership_of_parent on scim_membership for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant delete, insert, select on scim_membership to gatehouse_app;

-- A bearer token of a directory: SHA-256 only. Several per directory, so that one can be replaced while the other still works.
create table scim_token (
  parent text not null,
  id text not null,
  directory text not null,
  hash bytea not null,
  created_by text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  last_used_at timestamp with time zone,
  client text,
  PRIMARY KEY (id),
  UNIQUE (hash),
  FOREIGN KEY (parent, client) REFERENCES scim_client(parent, id) DEFERRABLE,
  FOREIGN KEY (parent, directory) REFERENCES directory(parent, id) DEFERRABLE
);
CREATE INDEX scim_token_client ON public.scim_token USING btree (client, expires_at) WHERE (client IS NOT NULL);
CREATE INDEX scim_token_directory ON public.scim_token USING btree (parent, directory);
alter table scim_token enable row level security;
create policy scim_token_of_parent on scim_token for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select on scim_token to gatehouse_app;
grant update (revoked_at) on scim_token to gatehouse_app;

-- A person as a directory describes them; `attributes` is typed by the SCIM schema, the other columns are taken from it. A deleted row keeps only what recognizes the person when they come back.
create table scim_user (
  parent text not null,
  id text not null,
  directory text not null,
  attributes jsonb not null,
  user_name_key text not null,
  display_name_key text,
  external_id text,
  active boolean not null,
  user_id text,
  unlinked_because text,
  suspended_here boolean not null default false,
  version integer not null default 1,
  created_at timestamp with time zone not null,
  changed_at timestamp with time zone not null,
  deleted_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  FOREIGN KEY (parent, directory) REFERENCES directory(parent, id) DEFERRABLE,
  FOREIGN KEY (parent, user_id) REFERENCES app_user(parent, id) DEFERRABLE,
  CHECK (((user_id IS NULL) = (unlinked_because IS NOT NULL))),
  CHECK ((unlinked_because = ANY (ARRAY['local_user'::text, 'address_in_use'::text, 'no_address'::text, 'domain_held'::text])))
);
CREATE INDEX scim_user_account ON public.scim_user USING btree (user_id, deleted_at) WHERE (user_id IS NOT NULL);
CREATE INDEX scim_user_display ON public.scim_user USING btree (directory, display_name_key) WHERE (deleted_at IS NULL);
CREATE UNIQUE INDEX scim_user_external ON public.scim_user USING btree (directory, external_id) WHERE ((deleted_at IS NULL) AND (external_id IS NOT NULL));
CREATE INDEX scim_user_former ON public.scim_user USING btree (parent, external_id) WHERE ((deleted_at IS NOT NULL) AND (user_id IS NOT NULL));
CREATE INDEX scim_user_gone ON public.scim_user USING btree (directory, user_name_key) WHERE (deleted_at IS NOT NULL);
CREATE INDEX scim_user_gone_external ON public.scim_user USING btree (directory, external_id) WHERE (deleted_at IS NOT NULL);
CREATE INDEX scim_user_link ON public.scim_user USING btree (parent, external_id) WHERE ((deleted_at IS NULL) AND (user_id IS NOT NULL));
CREATE UNIQUE INDEX scim_user_name ON public.scim_user USING btree (directory, user_name_key) WHERE (deleted_at IS NULL);
CREATE INDEX scim_user_order ON public.scim_user USING btree (directory, id) WHERE (deleted_at IS NULL);
CREATE UNIQUE INDEX scim_user_person ON public.scim_user USING btree (user_id) WHERE ((deleted_at IS NULL) AND (user_id IS NOT NULL));
CREATE INDEX scim_user_unlinked ON public.scim_user USING btree (directory, id) WHERE ((deleted_at IS NULL) AND (user_id IS NULL));
alter table scim_user enable row level security;
create policy scim_user_of_parent on scim_user for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select, update on scim_user to gatehouse_app;
CREATE TRIGGER scim_user_added AFTER INSERT ON public.scim_user REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION scim_user_counted();
CREATE TRIGGER scim_user_ended AFTER UPDATE OF deleted_at ON public.scim_user FOR EACH ROW WHEN ((old.deleted_at IS DISTINCT FROM new.deleted_at)) EXECUTE FUNCTION scim_user_counted();

-- Counts of changes per parent and org, spread over slots; with scope_version the version that caches are valid for. told_at: when a change of this slot last told the nodes at once.
create table scope_bump (
  scope text not null,
  slot integer not null,
  version bigint not null default 1,
  told_at timestamp with time zone not null,
  PRIMARY KEY (scope, slot)
);
alter table scope_bump enable row level security;
create policy scope_bump_read on scope_bump for select to gatehouse_app using true;
grant select on scope_bump to gatehouse_app;

-- One counter per parent and org. Every change bumps it in its own transaction; caches of a node are valid for one value of it.
create table scope_version (
  scope text not null,
  version bigint not null default 1,
  PRIMARY KEY (scope)
);
alter table scope_version enable row level security;
create policy scope_version_read on scope_version for select to gatehouse_app using true;
grant select on scope_version to gatehouse_app;

-- Keys per parent or org, and of the deployment, wrapped by a key provider. Secrets are sealed with data keys that these wrap. The newest generation seals; an older one goes on opening until it is retired, which destroys it (wrapped is null) and keeps the row. deployment, generation 0: the secret that everything derived comes from, where no key file holds it. Without the provider's key the rows are noise.
create table seal_key (
  scope text not null,
  generation integer not null,
  provider text not null,
  wrapped bytea,
  created_at timestamp with time zone not null default now(),
  wrapped_at timestamp with time zone not null default now(),
  retired_at timestamp with time zone,
  PRIMARY KEY (scope, generation),
  CHECK (((wrapped IS NULL) = (retired_at IS NOT NULL)))
);
alter table seal_key enable row level security;
create policy seal_key_deployment on seal_key for all to gatehouse_app using (scope = 'deployment'::text) with check (scope = 'deployment'::text);
create policy seal_key_scope on seal_key for all to gatehouse_app using (scope = ANY (ARRAY[app_org(), app_parent()])) with check (scope = ANY (ARRAY[app_org(), app_parent()]));
grant insert, select on seal_key to gatehouse_app;
grant update (provider, retired_at, wrapped, wrapped_at) on seal_key to gatehouse_app;

-- Everything of a scope being sealed anew with its newest key. tab, col and after say how far it is, so that another node goes on where one was killed.
create table seal_rotation (
  scope text not null,
  id text not null,
  generation integer not null,
  new_key boolean not null,
  state text not null,
  tab text not null default ''::text,
  col text not null default ''::text,
  after text not null default ''::text,
  resealed bigint not null default 0,
  total bigint not null,
  started_by text not null,
  started_at timestamp with time zone not null,
  finished_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (scope, id),
  CHECK (((state = 'done'::text) = (finished_at IS NOT NULL))),
  CHECK ((state = ANY (ARRAY['running'::text, 'done'::text])))
);
CREATE UNIQUE INDEX seal_rotation_running ON public.seal_rotation USING btree (scope) WHERE (state = 'running'::text);
alter table seal_rotation enable row level security;
create policy seal_rotation_of_scope on seal_rotation for all to gatehouse_app using (scope = ANY (ARRAY[app_org(), app_parent(), 'deployment'::text])) with check (scope = ANY (ARRAY[app_org(), app_parent(), 'deployment'::text]));
grant insert, select on seal_rotation to gatehouse_app;
grant update (after, col, finished_at, resealed, state, tab) on seal_rotation to gatehouse_app;

-- Every column with sealed bytes, and what they are bound to: the column that is their scope, and SQL that gives row and generation as the code that seals says them. A migration with a new sealed column adds its line; server/walls/sealed.test.ts finds one that does not.
create table sealed_column (
  tab text not null,
  col text not null,
  scope text not null,
  row_is text not null,
  generation_is text not null,
  PRIMARY KEY (tab, col),
  CHECK ((scope = ANY (ARRAY['org'::text, 'parent'::text, 'deployment'::text])))
);
-- NO ROW LEVEL SECURITY

-- How many members may have a seat: in the whole org (tier *) or with one tier. No row: as many as come.
create table seat_limit (
  org text not null,
  tier text not null,
  seats integer not null,
  set_by text not null,
  set_at timestamp with time zone not null,
  PRIMARY KEY (org, tier),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK ((seats >= 0))
);
alter table seat_limit enable row level security;
create policy seat_limit_of_org on seat_limit for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant delete, insert, select, update on seat_limit to gatehouse_app;

-- A signed-in browser. SHA-256 of the cookie only. method: how it was opened; connection: through which one, for single sign-on.
create table session (
  parent text not null,
  id text not null,
  user_id text not null,
  hash bytea not null,
  connection text,
  user_agent text not null,
  created_at timestamp with time zone not null,
  last_seen_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  method text not null,
  PRIMARY KEY (id),
  UNIQUE (hash),
  UNIQUE (parent, id),
  FOREIGN KEY (parent) REFERENCES parent(id),
  FOREIGN KEY (parent, connection) REFERENCES sso_connection(parent, id) DEFERRABLE,
  FOREIGN KEY (parent, user_id) REFERENCES app_user(parent, id) DEFERRABLE,
  CHECK (((method = 'sso'::text) = (connection IS NOT NULL))),
  CHECK ((method = ANY (ARRAY['sso'::text, 'passkey'::text, 'mail_link'::text, 'setup_link'::text])))
);
CREATE INDEX session_of_user ON public.session USING btree (parent, user_id, id DESC);
alter table session enable row level security;
create policy session_of_parent on session for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select on session to gatehouse_app;
grant update (last_seen_at, revoked_at) on session to gatehouse_app;

-- From which tools a session has read, what they brought, and about when last. session: SHA-256 of whose session it is (one client for one member, or a run that a client names). Written with the end of the call, before its answer is given. Forgotten after the longest time that an org can set.
create table session_read (
  org text not null,
  session text not null,
  connector text not null,
  tool text not null,
  untrusted boolean not null,
  private boolean not null,
  at timestamp with time zone not null,
  PRIMARY KEY (org, session, connector, tool, untrusted, private),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK ((session ~ '^[0-9a-f]{64}$'::text)),
  CHECK ((untrusted OR private))
);
CREATE INDEX session_read_at ON public.session_read USING btree (org, at);
alter table session_read enable row level security;
create policy session_read_of_org on session_read for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on session_read to gatehouse_app;
grant update (at) on session_read to gatehouse_app;

-- A one-time way in for the first owner, before any identity provider is connected. SHA-256 of the token only.
create table setup_link (
  parent text not null,
  id text not null,
  user_id text not null,
  hash bytea not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (hash),
  UNIQUE (parent, id),
  FOREIGN KEY (parent) REFERENCES parent(id),
  FOREIGN KEY (parent, user_id) REFERENCES app_user(parent, id) DEFERRABLE
);
alter table setup_link enable row level security;
create policy setup_link_of_parent on setup_link for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select on setup_link to gatehouse_app;
grant update (used_at) on setup_link to gatehouse_app;

-- A browser that was sent to an identity provider and is not back yet. Used once: taken by delete. discovery: the trace stage of before the redirect.
create table sign_in_attempt (
  parent text not null,
  state_hash bytea not null,
  connection text not null,
  nonce text not null,
  verifier_sealed bytea not null,
  browser_hash bytea not null,
  return_to text not null,
  intent text not null,
  user_id text,
  session_id text,
  discovery jsonb not null,
  started_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  arrived bytea,
  max_age integer,
  test text,
  test_org text,
  PRIMARY KEY (state_hash),
  FOREIGN KEY (parent) REFERENCES parent(id),
  FOREIGN KEY (parent, connection) REFERENCES sso_connection(parent, id) DEFERRABLE,
  FOREIGN KEY (parent, session_id) REFERENCES session(parent, id) DEFERRABLE,
  FOREIGN KEY (parent, user_id) REFERENCES app_user(parent, id) DEFERRABLE,
  CHECK (((intent = 'link'::text) = ((user_id IS NOT NULL) AND (session_id IS NOT NULL)))),
  CHECK (((intent = 'test'::text) = ((test IS NOT NULL) AND (test_org IS NOT NULL)))),
  CHECK ((intent = ANY (ARRAY['sign_in'::text, 'link'::text, 'test'::text]))),
  CHECK ((max_age >= 0))
);
CREATE INDEX sign_in_attempt_old ON public.sign_in_attempt USING btree (parent, expires_at);
alter table sign_in_attempt enable row level security;
create policy sign_in_attempt_of_parent on sign_in_attempt for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant delete, insert, select on sign_in_attempt to gatehouse_app;
grant update (arrived) on sign_in_attempt to gatehouse_app;

-- What a proved identity claimed at a sign-in that was refused afterwards, sealed, for seven days: so that it can be judged again by the configuration of then.
create table sign_in_claims (
  parent text not null,
  trace text not null,
  connection text not null,
  sealed bytea not null,
  kept_until timestamp with time zone not null,
  PRIMARY KEY (trace),
  FOREIGN KEY (parent, connection) REFERENCES sso_connection(parent, id) DEFERRABLE,
  FOREIGN KEY (parent, trace) REFERENCES sign_in_trace(parent, id) DEFERRABLE
);
CREATE INDEX sign_in_claims_old ON public.sign_in_claims USING btree (parent, kept_until);
alter table sign_in_claims enable row level security;
create policy sign_in_claims_of_parent on sign_in_claims for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant delete, insert, select on sign_in_claims to gatehouse_app;

-- What happened at each stage of one sign-in: found, expected, code. outcome is signed_in, linked, tested, vouched (an agent got a token), or the code of the refusal. connection: of single sign-on and ID-JAG only; user_id: whose passkey or link it was, or who was let in.
create table sign_in_trace (
  parent text not null,
  id text not null,
  at timestamp with time zone not null,
  connection text,
  user_id text,
  subject text,
  outcome text not null,
  stages jsonb not null,
  method text not null,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  FOREIGN KEY (parent) REFERENCES parent(id),
  FOREIGN KEY (parent, connection) REFERENCES sso_connection(parent, id) DEFERRABLE,
  FOREIGN KEY (parent, user_id) REFERENCES app_user(parent, id) DEFERRABLE,
  CHECK (((method = ANY (ARRAY['sso'::text, 'id_jag'::text])) = (connection IS NOT NULL))),
  CHECK (((method = ANY (ARRAY['sso'::text, 'id_jag'::text])) OR (user_id IS NOT NULL))),
  CHECK ((method = ANY (ARRAY['sso'::text, 'passkey'::text, 'mail_link'::text, 'setup_link'::text, 'id_jag'::text])))
);
CREATE INDEX sign_in_trace_list ON public.sign_in_trace USING btree (parent, id DESC);
CREATE INDEX sign_in_trace_recent ON public.sign_in_trace USING btree (parent, at);
alter table sign_in_trace enable row level security;
create policy sign_in_trace_of_parent on sign_in_trace for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select on sign_in_trace to gatehouse_app;

-- An identity provider of the parent. match_directory: a first sign-in may be matched to a directory user by externalId. Of kind saml: issuer is its entity ID, client_id the organization whose entity we are there, and the rest is in saml_connection.
create table sso_connection (
  parent text not null,
  id text not null,
  name text not null,
  kind text not null,
  issuer text not null,
  client_id text not null,
  auth_method text not null,
  secret_sealed bytea,
  secret_generation integer not null default 1,
  allow_private text[] not null default '{}'::text[],
  match_directory boolean not null,
  state text not null,
  discovery jsonb not null,
  discovered_at timestamp with time zone not null,
  created_at timestamp with time zone not null,
  hosted_domains text[] not null default '{}'::text[],
  tenants text[] not null default '{}'::text[],
  par text not null default 'offered'::text,
  id_jag text not null default 'off'::text,
  PRIMARY KEY (id),
  UNIQUE (parent, id),
  UNIQUE (parent, issuer, client_id),
  FOREIGN KEY (parent) REFERENCES parent(id),
  CHECK (((auth_method = ANY (ARRAY['none'::text, 'private_key_jwt'::text])) = (secret_sealed IS NULL))),
  CHECK (((id_jag = 'off'::text) OR (kind = 'oidc'::text))),
  CHECK ((auth_method = ANY (ARRAY['client_secret_basic'::text, 'client_secret_post'::text, 'private_key_jwt'::text, 'none'::text]))),
  CHECK ((id_jag = ANY (ARRAY['off'::text, 'read'::text, 'write'::text]))),
  CHECK ((kind = ANY (ARRAY['oidc'::text, 'saml'::text]))),
  CHECK ((par = ANY (ARRAY['offered'::text, 'always'::text, 'never'::text]))),
  CHECK ((state = ANY (ARRAY['active'::text, 'disabled'::text])))
);
CREATE UNIQUE INDEX sso_connection_id_jag ON public.sso_connection USING btree (((discovery ->> 'issuer'::text))) WHERE (id_jag <> 'off'::text);
CREATE INDEX sso_connection_issuer ON public.sso_connection USING btree (((discovery ->> 'issuer'::text)));
alter table sso_connection enable row level security;
create policy sso_connection_of_parent on sso_connection for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant insert, select, update on sso_connection to gatehouse_app;

-- How far an org insists on single sign-on. staged: for percent of its people (stable by hash of the user) and for whoever is in one of groups. connections: the only ones that count; empty: every active one. preview_hash: the simulation that was looked at. returned_because: the code that brought it back to report_only by itself.
create table sso_enforcement (
  org text not null,
  state text not null,
  percent integer not null default 0,
  groups text[] not null default '{}'::text[],
  connections text[] not null default '{}'::text[],
  preview_hash text,
  returned_because text,
  changed_by text not null,
  changed_at timestamp with time zone not null,
  PRIMARY KEY (org),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((percent >= 0) AND (percent <= 100))),
  CHECK (((state <> ALL (ARRAY['staged'::text, 'full'::text])) OR (preview_hash IS NOT NULL))),
  CHECK (((state = 'staged'::text) OR ((percent = 0) AND (groups = '{}'::text[])))),
  CHECK ((state = ANY (ARRAY['off'::text, 'report_only'::text, 'staged'::text, 'full'::text])))
);
alter table sso_enforcement enable row level security;
create policy sso_enforcement_of_org on sso_enforcement for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select, update on sso_enforcement to gatehouse_app;

-- A sign-in that enforcement refused, or in report_only would have refused. For counting; kept for 90 days.
create table sso_enforcement_hit (
  org text not null,
  id text not null,
  at timestamp with time zone not null,
  user_id text not null,
  via text not null,
  connection text,
  refused boolean not null,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK ((via = ANY (ARRAY['sso'::text, 'setup_link'::text, 'passkey'::text, 'mail_link'::text])))
);
CREATE INDEX sso_enforcement_hit_at ON public.sso_enforcement_hit USING btree (org, at);
alter table sso_enforcement_hit enable row level security;
create policy sso_enforcement_hit_of_org on sso_enforcement_hit for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant delete, insert, select on sso_enforcement_hit to gatehouse_app;

-- A dry sign-in through a connection: nobody is let in or linked by it. hash: SHA-256 of the secret in the address that begins it. sealed: what was received, as mapped and foreseen; deleted after seven days.
create table sso_test (
  org text not null,
  id text not null,
  connection text not null,
  hash bytea not null,
  begun_by text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  finished_at timestamp with time zone,
  outcome text,
  sealed bytea,
  PRIMARY KEY (id),
  UNIQUE (hash),
  UNIQUE (org, id),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((finished_at IS NULL) = (outcome IS NULL))),
  CHECK (((sealed IS NULL) OR (finished_at IS NOT NULL)))
);
CREATE INDEX sso_test_list ON public.sso_test USING btree (org, connection, id DESC);
alter table sso_test enable row level security;
create policy sso_test_of_org on sso_test for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant delete, insert, select, update on sso_test to gatehouse_app;

-- One callable of a connector, or its @instructions: the pin of the definition as last seen and of the one that a reviewer accepted. Only state reviewed is shown or callable.
create table tool (
  org text not null,
  connector text not null,
  name text not null,
  pin text not null,
  reviewed_pin text,
  first_seen timestamp with time zone not null,
  seen_at timestamp with time zone not null,
  removed_at timestamp with time zone,
  state text not null generated always as (
CASE
    WHEN (removed_at IS NOT NULL) THEN 'removed'::text
    WHEN (reviewed_pin IS NULL) THEN 'quarantined'::text
    WHEN (reviewed_pin = pin) THEN 'reviewed'::text
    ELSE 'changed'::text
END) stored,
  PRIMARY KEY (org, connector, name),
  FOREIGN KEY (org, connector) REFERENCES connector(org, id),
  FOREIGN KEY (org, connector, name, pin) REFERENCES tool_definition(org, connector, name, pin),
  FOREIGN KEY (org, connector, name, reviewed_pin) REFERENCES tool_definition(org, connector, name, pin),
  CHECK ((pin ~ '^[0-9a-f]{64}$'::text))
);
CREATE INDEX tool_waiting ON public.tool USING btree (org, connector, name) WHERE (state = ANY (ARRAY['quarantined'::text, 'changed'::text]));
alter table tool enable row level security;
create policy tool_of_org on tool for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select, update on tool to gatehouse_app;

-- One call: open before anything leaves, closed with its outcome. Arguments only as a keyed hash. Open and of a dead node: closed as lost.
create table tool_call (
  org text not null,
  id text not null,
  connector text not null,
  tool text not null,
  member text not null,
  user_id text not null,
  client text not null,
  args_hash bytea not null,
  node text not null,
  opened_at timestamp with time zone not null,
  outcome text,
  why text,
  closed_at timestamp with time zone,
  PRIMARY KEY (org, id),
  CHECK (((outcome IS NULL) = (closed_at IS NULL))),
  CHECK ((outcome = ANY (ARRAY['answered'::text, 'held'::text, 'denied'::text, 'blocked'::text, 'failed'::text, 'lost'::text])))
);
CREATE INDEX tool_call_of_member ON public.tool_call USING btree (org, member, opened_at DESC);
CREATE INDEX tool_call_open ON public.tool_call USING btree (node) WHERE (outcome IS NULL);
alter table tool_call enable row level security;
create policy tool_call_of_org on tool_call for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select, update on tool_call to gatehouse_app;

-- A definition of a tool (or, as @instructions, what a connector tells clients) that was seen at some time. definition: canonical text of what the pin covers; whole: everything that came with it. verdict: what a reviewer said; class, projection and stricter (a JSON Schema) bind calls while this is the definition. brings: what its answers bring into a session (untrusted text, private content); outward: whether it can carry content out; null: nobody said, and the class says (a read brings both, a destructive one is outward). Older unreviewed ones of a tool that keeps changing are forgotten.
create table tool_definition (
  org text not null,
  connector text not null,
  name text not null,
  pin text not null,
  definition text not null,
  whole text not null,
  first_seen timestamp with time zone not null,
  verdict text,
  class text,
  projection jsonb not null default '[]'::jsonb,
  stricter text,
  reviewed_by text,
  reviewed_at timestamp with time zone,
  brings text[],
  outward boolean,
  PRIMARY KEY (org, connector, name, pin),
  FOREIGN KEY (org, connector) REFERENCES connector(org, id),
  CHECK ((((COALESCE(verdict, ''::text) = 'accepted'::text) AND (name <> '@instructions'::text)) = (class IS NOT NULL))),
  CHECK ((((verdict IS NULL) = (reviewed_by IS NULL)) AND ((verdict IS NULL) = (reviewed_at IS NULL)))),
  CHECK (((verdict = 'accepted'::text) OR ((brings IS NULL) AND (outward IS NULL)))),
  CHECK ((brings <@ ARRAY['untrusted'::text, 'private'::text])),
  CHECK ((class = ANY (ARRAY['read'::text, 'write'::text, 'destructive'::text]))),
  CHECK ((pin ~ '^[0-9a-f]{64}$'::text)),
  CHECK ((verdict = ANY (ARRAY['accepted'::text, 'closed'::text])))
);
alter table tool_definition enable row level security;
create policy tool_definition_of_org on tool_definition for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant delete, insert, select on tool_definition to gatehouse_app;
grant update (brings, class, outward, projection, reviewed_at, reviewed_by, stricter, verdict) on tool_definition to gatehouse_app;

-- Whether a definition that differs from its reviewed one in title and icons only keeps its review. No row: it waits like any other.
create table tool_review_settings (
  org text not null,
  accept_cosmetic boolean not null,
  set_by text not null,
  set_at timestamp with time zone not null,
  PRIMARY KEY (org),
  FOREIGN KEY (org) REFERENCES org(id)
);
alter table tool_review_settings enable row level security;
create policy tool_review_settings_of_org on tool_review_settings for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select, update on tool_review_settings to gatehouse_app;

-- What happened to a tool's definition at the upstream, in order: first seen, changed (pin: to what), removed (pin: which), came back.
create table tool_sighting (
  org text not null,
  connector text not null,
  n bigint not null generated always as identity,
  name text not null,
  what text not null,
  pin text not null,
  at timestamp with time zone not null,
  PRIMARY KEY (org, connector, n),
  FOREIGN KEY (org, connector, name) REFERENCES tool(org, connector, name),
  CHECK ((what = ANY (ARRAY['first_seen'::text, 'changed'::text, 'removed'::text, 'came_back'::text])))
);
CREATE INDEX tool_sighting_of_tool ON public.tool_sighting USING btree (org, connector, name, n DESC);
alter table tool_sighting enable row level security;
create policy tool_sighting_of_org on tool_sighting for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on tool_sighting to gatehouse_app;

-- A way into a network of the org: what its agents may be asked to reach (each an origin, with or without the beginning of a path), and the hash of the secret that they show. generation counts secrets; the one before is good until older_until. told: how it stands as the log tells it, since told_at; last_seen_at: when an agent of it left last. A revoked one stays, so that the log can be read.
create table tunnel (
  org text not null,
  id text not null,
  name text not null,
  destinations text[] not null,
  generation integer not null,
  secret_hash bytea not null,
  older_secret_hash bytea,
  older_until timestamp with time zone,
  rotated_at timestamp with time zone not null,
  told text not null,
  told_at timestamp with time zone not null,
  last_seen_at timestamp with time zone,
  created_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  FOREIGN KEY (org) REFERENCES org(id),
  CHECK (((cardinality(destinations) >= 1) AND (cardinality(destinations) <= 50))),
  CHECK (((length(name) >= 1) AND (length(name) <= 100))),
  CHECK (((older_secret_hash IS NULL) = (older_until IS NULL))),
  CHECK ((generation > 0)),
  CHECK ((told = ANY (ARRAY['online'::text, 'offline'::text])))
);
CREATE UNIQUE INDEX tunnel_name ON public.tunnel USING btree (org, lower(name)) WHERE (revoked_at IS NULL);
alter table tunnel enable row level security;
create policy tunnel_of_org on tunnel for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant insert, select on tunnel to gatehouse_app;
grant update (destinations, generation, last_seen_at, name, older_secret_hash, older_until, revoked_at, rotated_at, secret_hash, told, told_at) on tunnel to gatehouse_app;

-- A connection of an agent, and the node that holds it; it is worth nothing when that node's lease is over (gateway_node). name, version and allow (what its command line lets it reach) are what the agent says of itself; generation: of the secret that it showed.
create table tunnel_agent (
  org text not null,
  id text not null,
  tunnel text not null,
  node text not null,
  name text not null,
  version text not null,
  address text not null,
  allow text[] not null,
  generation integer not null,
  joined_at timestamp with time zone not null,
  PRIMARY KEY (id),
  UNIQUE (org, id),
  FOREIGN KEY (org, tunnel) REFERENCES tunnel(org, id)
);
CREATE INDEX tunnel_agent_of ON public.tunnel_agent USING btree (org, tunnel);
alter table tunnel_agent enable row level security;
create policy tunnel_agent_of_org on tunnel_agent for all to gatehouse_app using (org = app_org()) with check (org = app_org());
grant delete, insert, select on tunnel_agent to gatehouse_app;

-- What an identity provider said of a person at the latest sign-in: for rules by department or group, and for asking the manager. Never a key.
create table user_attribute (
  parent text not null,
  user_id text not null,
  name text not null,
  vals text[] not null,
  connection text not null,
  asserted_at timestamp with time zone not null,
  PRIMARY KEY (parent, user_id, name),
  FOREIGN KEY (parent, connection) REFERENCES sso_connection(parent, id) DEFERRABLE,
  FOREIGN KEY (parent, user_id) REFERENCES app_user(parent, id) DEFERRABLE,
  CHECK ((name = ANY (ARRAY['email'::text, 'first_name'::text, 'last_name'::text, 'department'::text, 'manager_email'::text, 'groups'::text])))
);
CREATE INDEX user_attribute_value ON public.user_attribute USING gin (vals);
alter table user_attribute enable row level security;
create policy user_attribute_of_parent on user_attribute for all to gatehouse_app using (parent = app_parent()) with check (parent = app_parent());
grant delete, insert, select, update on user_attribute to gatehouse_app;

CREATE OR REPLACE FUNCTION public.app_org()
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN NULLIF(current_setting('app.org'::text, true), ''::text)
-- may be run by: PUBLIC

CREATE OR REPLACE FUNCTION public.app_parent()
 RETURNS text
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN NULLIF(current_setting('app.parent'::text, true), ''::text)
-- may be run by: PUBLIC

CREATE OR REPLACE FUNCTION public.apply_merge(wanted text, at timestamp with time zone, undo_until timestamp with time zone)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
declare
  p merge_proposal;
  orgs text[];
  users text[];
  directories text[];
  connections text[];
  domains text[];
  olds text[];
  news text[];
begin
  select * into p from merge_proposal where id = wanted for update;
  if p.id is null or app_parent() is distinct from p.into_parent then raise exception 'apply_merge: not the receiving side of this proposal'; end if;
  if p.state <> 'approved_both' then raise exception 'apply_merge: the proposal is %', p.state; end if;
  perform from parent where id in (p.parent, p.into_parent) order by id for update;
  select array_agg(o.id) into orgs from org o where o.parent = p.parent;
  if not p.org = any(coalesce(orgs, '{}')) or not exists (select from org o where o.id = p.into_org and o.parent = p.into_parent) then
    raise exception 'apply_merge: a side is no longer where it was';
  end if;
  perform from org o where o.id = any(orgs) order by o.id for update;
  select coalesce(array_agg(m.was), '{}'), coalesce(array_agg(m.becomes), '{}') into olds, news from merge_matches(p.parent, p.into_parent) m;
  if (select count(distinct x) from unnest(olds) x) <> cardinality(olds) or (select count(distinct x) from unnest(news) x) <> cardinality(news) then
    raise exception 'apply_merge: an account would be joined twice';
  end if;
  select coalesce(array_agg(u.id), '{}') into users from app_user u where u.parent = p.parent and u.id <> all(olds);
  select coalesce(array_agg(d.id), '{}') into directories from directory d where d.parent = p.parent;
  select coalesce(array_agg(c.id), '{}') into connections from sso_connection c where c.parent = p.parent;
  set constraints all deferred;
  insert into merge_moved (parent, merge, kind, id) select p.parent, p.id, 'org', unnest(orgs);
  insert into merge_moved (parent, merge, kind, id) select p.parent, p.id, 'user', unnest(users);
  insert into merge_moved (parent, merge, kind, id) select p.parent, p.id, 'directory', unnest(directories);
  select coalesce(array_agg(d.id), '{}') into domains from domain d where d.parent = p.parent;
  insert into merge_moved (parent, merge, kind, id) select p.parent, p.id, 'connection', unnest(connections);
  insert into merge_moved (parent, merge, kind, id) select p.parent, p.id, 'domain', unnest(domains);
  insert into merge_moved (parent, merge, kind, id, other) select p.parent, p.id, 'joined', x.was, x.becomes from unnest(olds, news) as x(was, becomes);

  -- An account has at most one live directory entry. Where both sides have one, the receiving side's decides.
  with aside as (
    update scim_user s set user_id = null, unlinked_because = 'address_in_use'
      from unnest(olds, news) as x(was, becomes)
     where s.user_id = x.was and s.deleted_at is null
       and exists (select from scim_user o where o.user_id = x.becomes and o.deleted_at is null)
    returning s.id, x.was)
  insert into merge_moved (parent, merge, kind, id, other) select p.parent, p.id, 'entry', aside.id, aside.was from aside;

  -- Sessions of accounts that are joined end, because they were opened as somebody else.
  delete from saml_logout l using session s where s.parent = p.parent and s.user_id = any(olds) and l.parent = p.parent and l.session = s.id;
  delete from saml_session l using session s where s.parent = p.parent and s.user_id = any(olds) and l.parent = p.parent and l.session = s.id;
  delete from session s where s.parent = p.parent and s.user_id = any(olds);

  -- What a provider said of them last time goes along where the receiving side knows nothing of the kind.
  insert into merge_moved (parent, merge, kind, id, other, saved)
  select p.parent, p.id, 'attribute', a.user_id, a.name, to_jsonb(a) from user_attribute a where a.parent = p.parent and a.user_id = any(olds);
  delete from user_attribute a where a.parent = p.parent and a.user_id = any(olds);
  perform carry_attribute_groups(p.id, p.parent, p.into_parent, orgs, users, olds, news);
  perform carry_rows(p.parent, p.into_parent, orgs, users, directories, connections, domains, olds, news);
  insert into user_attribute (parent, user_id, name, vals, connection, asserted_at)
  select p.into_parent, x.becomes, a.name, a.vals, a.connection, a.asserted_at
    from merge_moved v join unnest(olds, news) as x(was, becomes) on x.was = v.id
   cross join jsonb_populate_record(null::user_attribute, v.saved) a
   where v.merge = p.id and v.kind = 'attribute'
  on conflict do nothing;

  update merge_proposal o set state = 'rejected', ended_at = apply_merge.at, ended_by = 'merged'
   where o.id <> p.id and o.state in ('draft', 'sent', 'approved_one', 'approved_both', 'stale') and p.parent in (o.parent, o.into_parent);
  update merge_proposal o set state = 'applied', applied_at = apply_merge.at, undo_until = apply_merge.undo_until where o.id = p.id;
  return jsonb_build_object('orgs', to_jsonb(orgs), 'people', cardinality(users), 'joined', cardinality(olds),
                            'directories', cardinality(directories), 'connections', cardinality(connections), 'domains', cardinality(domains));
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.break_glass(of_parent text, of_user text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'public'
AS $function$
  select exists (select from provisioning_exempt x join org o on o.id = x.org and o.parent = of_parent
                   join member m on m.org = x.org and m.user_id = x.user_id where x.user_id = of_user)
      or exists (select from member m join org o on o.id = m.org and o.parent = of_parent join app_user u on u.id = m.user_id
                  where m.user_id = of_user and m.role = 'primary_owner' and u.origin = 'local')
$function$
-- may be run by: PUBLIC

CREATE OR REPLACE FUNCTION public.break_glass_of_user(wanted_user text)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select break_glass(app_parent(), wanted_user) $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.bump_version(parent text, org text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
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
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.carry_attribute_groups(wanted text, from_parent text, to_parent text, orgs text[], users text[], was text[], becomes text[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'public'
AS $function$
declare
  g record;
  r record;
  target text;
  named boolean;
begin
  set constraints all deferred;
  for g in select * from org_group x where x.parent = from_parent and x.attribute is not null order by x.id loop
    named := exists (select from org_group_member m where m.group_id = g.id and (m.user_id = any(users) or m.user_id = any(was)));
    for r in select * from merge_rule where what = 'group' loop
      execute format('select $1 or exists (select from %I t where t.%I = $2 and t.%I = any($3))', r.tab, r.col, r.within)
        into named using named, g.id, orgs;
    end loop;
    continue when not named;
    select x.id into target from org_group x where x.parent = to_parent and x.attribute = g.attribute and x.name = g.name;
    if target is null then
      target := 'grp_' || replace(gen_random_uuid()::text, '-', '');
      insert into org_group (parent, id, source, attribute, name, first_seen_at, last_seen_at)
      values (to_parent, target, 'attribute', g.attribute, g.name, g.first_seen_at, g.last_seen_at);
      insert into merge_moved (parent, merge, kind, id) values (from_parent, wanted, 'group_made', target);
    end if;
    with gone as (delete from org_group_member m where m.group_id = g.id and m.user_id = any(users) returning m.user_id, m.asserted_at)
    insert into org_group_member (parent, group_id, user_id, asserted_at) select to_parent, target, gone.user_id, gone.asserted_at from gone
    on conflict do nothing;
    with copied as (
      insert into org_group_member (parent, group_id, user_id, asserted_at)
      select to_parent, target, p.becomes, m.asserted_at
        from org_group_member m join unnest(was, becomes) as p(was, becomes) on p.was = m.user_id where m.group_id = g.id
      on conflict do nothing returning user_id)
    insert into merge_moved (parent, merge, kind, id, other) select from_parent, wanted, 'group_joined', target, copied.user_id from copied
    on conflict do nothing;
    for r in select * from merge_rule where what = 'group' loop
      execute format('update %I t set %I = $1 where t.%I = $2 and t.%I = any($3)', r.tab, r.col, r.col, r.within) using target, g.id, orgs;
    end loop;
  end loop;
end $function$
-- may be run by: PUBLIC

CREATE OR REPLACE FUNCTION public.carry_rows(from_parent text, to_parent text, orgs text[], users text[], directories text[], connections text[], domains text[], was text[], becomes text[])
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'public'
AS $function$
declare
  r record;
  scim_groups text[];
  captures text[];
begin
  set constraints all deferred;
  select coalesce(array_agg(c.id), '{}') into captures from domain_capture c where c.parent = from_parent and c.domain = any(domains);
  select coalesce(array_agg(g.id), '{}') into scim_groups from scim_group g where g.parent = from_parent and g.directory = any(directories);
  for r in select * from merge_rule where what = 'person' order by tab, col loop
    execute format('update %I t set %I = m.becomes from unnest($1, $2) as m(was, becomes) where t.%I = m.was and t.%I = any($3)', r.tab, r.col, r.col, r.within)
      using was, becomes, case r.scope when 'org' then orgs when 'directory' then directories when 'connection' then connections else captures end;
  end loop;
  for r in select * from merge_rule where what = 'ends' order by tab loop
    execute format('delete from %I t where t.parent = $1 and t.%I = any($2)', r.tab, r.within)
      using from_parent, case r.scope when 'org' then orgs when 'user' then users when 'directory' then directories when 'connection' then connections else domains end;
  end loop;
  for r in select * from merge_rule where what = 'moves' order by tab loop
    execute format('update %I t set parent = $1 where t.parent = $2 and t.%I = any($3)', r.tab, r.within)
      using to_parent, from_parent,
        case r.scope when 'org' then orgs when 'user' then users when 'directory' then directories when 'connection' then connections
                     when 'domain' then domains when 'capture' then captures else scim_groups end;
  end loop;
  set constraints all immediate;
end $function$
-- may be run by: PUBLIC

CREATE OR REPLACE FUNCTION public.claim_dpop_proof(proof_hash text, at timestamp with time zone, until timestamp with time zone)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
begin
  insert into oauth_item (model, id, payload, expires_at, created_at) values ('DpopProof', proof_hash, '{}', until, at) on conflict do nothing;
  return found;
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.connections_ended()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
begin
  if tg_table_name = 'member' then
    update connection set state = 'revoked', ended_at = now(), ended_why = 'member_removed', vendor_end = 'waiting'
     where org = old.org and member = old.id and ended_at is null;
  else
    update connection set state = 'revoked', ended_at = now(), ended_why = 'suspended', vendor_end = 'waiting'
     where user_id = new.id and ended_at is null;
  end if;
  return null;
end $function$
-- may be run by: PUBLIC

CREATE OR REPLACE FUNCTION public.count_mail_link_ask(address bytea, client bytea, at timestamp with time zone)
 RETURNS TABLE(of_address integer, of_client integer)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
begin
  delete from mail_link_ask a where a.hour < at - interval '1 day';
  insert into mail_link_ask as a (scope, hash, hour, n) values ('client', client, date_trunc('hour', at, 'UTC'), 1)
    on conflict (scope, hash, hour) do update set n = a.n + 1 returning a.n into of_client;
  insert into mail_link_ask as a (scope, hash, hour, n) values ('address', address, date_trunc('hour', at, 'UTC'), 1)
    on conflict (scope, hash, hour) do update set n = a.n + 1 returning a.n into of_address;
  return next;
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.defer_parent_references()
 RETURNS void
 LANGUAGE plpgsql
 SET search_path TO 'public'
AS $function$
declare c record;
begin
  for c in
    select k.conrelid::regclass as tab, k.conname from pg_constraint k
     where k.contype = 'f' and k.connamespace = 'public'::regnamespace and not k.condeferrable and array_length(k.conkey, 1) > 1
       and exists (select from pg_attribute a where a.attrelid = k.conrelid and a.attnum = any(k.conkey) and a.attname = 'parent')
  loop
    execute format('alter table %s alter constraint %I deferrable initially immediate', c.tab, c.conname);
  end loop;
end $function$
-- may be run by: PUBLIC

CREATE OR REPLACE FUNCTION public.enforcement_of_user(wanted_user text)
 RETURNS TABLE(org text, name text, state text, applies boolean, break_glass boolean, connections text[])
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select o.id, o.name, e.state, sso_stage_takes(e.state, e.percent, e.groups, m.user_id), break_glass(o.parent, m.user_id), e.connections
    from member m join org o on o.id = m.org join sso_enforcement e on e.org = o.id
   where o.parent = app_parent() and m.user_id = wanted_user and e.state <> 'off'
   order by o.id
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.has_seat(wanted_org text, wanted_member text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'public'
AS $function$
  select not exists (select from seat_limit l where l.org = wanted_org)
      or exists (select from member_seat s where s.org = wanted_org and s.member = wanted_member and s.activated_at is not null)
      or exists (select from member m where m.org = wanted_org and m.id = wanted_member
                  and (m.role = 'primary_owner' or exists (select from provisioning_exempt e where e.org = m.org and e.user_id = m.user_id)))
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.id_jag_taken(wanted text)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select exists (select from sso_connection mine join sso_connection c on c.discovery ->> 'issuer' = mine.discovery ->> 'issuer'
                  where mine.id = wanted and mine.parent = app_parent() and c.id <> mine.id and c.id_jag <> 'off')
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.list_oauth_grants(of_member text, pattern text, after text, at_most integer, at timestamp with time zone)
 RETURNS TABLE(id text, member text, client text, client_name text, scopes jsonb, given_at timestamp with time zone, expires_at timestamp with time zone, last_used_at timestamp with time zone, connection text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select g.id, g.account_id, g.client_id, g.client_name, coalesce(g.payload -> 'resources', '{}'::jsonb), g.created_at, g.expires_at,
         (select max(t.created_at) from oauth_item t where t.grant_id = g.id and t.model = 'RefreshToken'), g.connection
    from oauth_item g
   where g.model = 'Grant' and g.org = app_org() and g.expires_at > list_oauth_grants.at
     and (of_member is null or g.account_id = of_member) and g.id > after
     and (pattern is null or g.client_name ilike pattern or g.client_id ilike pattern)
   order by g.id
   limit least(at_most, 201)
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_api_key(key_hash bytea)
 RETURNS TABLE(org text, parent text, key text, permissions text[], expires_at timestamp with time zone, revoked_at timestamp with time zone, last_used_at timestamp with time zone, creator text, creator_state text, creator_role text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select k.org, o.parent, k.id, k.permissions, k.expires_at, k.revoked_at, k.last_used_at, k.created_by, u.state, m.role
    from api_key k
    join org o on o.id = k.org
    left join app_user u on u.id = k.created_by and u.parent = o.parent
    left join member m on m.org = k.org and m.user_id = k.created_by
   where k.hash = key_hash
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_connected_orgs()
 RETURNS TABLE(parent text, org text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select o.parent, o.id from org o
   where exists (select from connection c where c.org = o.id and c.ended_at is null)
      or exists (select from connector_app a where a.org = o.id)
   order by o.id
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_connection_figures()
 RETURNS TABLE(state text, n integer, soonest timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select c.state, count(*)::int, min(least(c.refresh_expires_at, c.idle_expires_at, c.given_ends_at)) from connection c where c.ended_at is null group by c.state
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_connector(wanted text)
 RETURNS TABLE(parent text, org text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select o.parent, o.id from connector c join org o on o.id = c.org where c.id = lookup_connector.wanted
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_domain_holder(names text[])
 RETURNS TABLE(parent text, domain text, name text, state text, home_org text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select d.parent, d.id, d.name, d.state, d.home_org
    from domain d
   where d.name = any(names) and d.state in ('verified', 'failing') and (d.name = names[1] or d.include_subdomains)
   order by length(d.name) desc
   limit 1
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_due_captures(at timestamp with time zone)
 RETURNS TABLE(parent text, capture text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select c.parent, c.id from domain_capture c where c.state = 'announced' and c.next_at <= at order by c.next_at limit 500
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_due_domains(at timestamp with time zone)
 RETURNS TABLE(parent text, domain text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select d.parent, d.id from domain d where d.next_check_at <= at order by d.next_check_at limit 500
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_due_merges(at timestamp with time zone)
 RETURNS TABLE(merge text, parent text, org text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select p.id, p.into_parent, p.into_org from merge_proposal p
   where p.state in ('draft', 'sent', 'approved_one', 'approved_both', 'stale') and (p.expires_at <= at or p.state = 'approved_both')
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_due_notices(planned_before timestamp with time zone)
 RETURNS TABLE(parent text, org text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select distinct o.parent, o.id
    from approval_notice n join approval a on a.org = n.org and a.id = n.approval and a.state = 'pending' join org o on o.id = n.org
   where n.sent_at is null and n.planned_at <= planned_before
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_ended_connections(at timestamp with time zone)
 RETURNS TABLE(parent text, org text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select distinct o.parent, o.id
    from (select c.org from connection c where c.vendor_end = 'waiting' and coalesce(c.vendor_end_next_at, c.ended_at) <= lookup_ended_connections.at
          union all
          select c.org from connection c where c.state = 'revoked' and c.ended_by is null) w
    join org o on o.id = w.org
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_enforcing_orgs()
 RETURNS TABLE(parent text, org text, enforcing boolean)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select o.parent, o.id, e.state in ('staged', 'full') from sso_enforcement e join org o on o.id = e.org
  union all
  select o.parent, o.id, false from org o
   where not exists (select from sso_enforcement e where e.org = o.id) and exists (select from sso_test x where x.org = o.id)
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_expired_approvals(at timestamp with time zone)
 RETURNS TABLE(parent text, org text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select distinct o.parent, o.id
    from (select a.org, a.asker as member, a.expires_at from approval a where a.state = 'pending'
          union all
          select g.org, g.member, g.expires_at from approval_grant g where g.ended is null and g.used < g.most) w
    join org o on o.id = w.org
   where w.expires_at <= at
      or not exists (select from member m join app_user u on u.id = m.user_id where m.id = w.member and m.org = w.org and u.state = 'active')
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_expired_quarantine(at timestamp with time zone)
 RETURNS TABLE(parent text, org text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select distinct o.parent, o.id from quarantine q join org o on o.id = q.org
   where q.state in ('waiting', 'released') and q.expires_at <= at
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_founded()
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select exists (select from parent) $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_id_jag_issuer(issuer text)
 RETURNS TABLE(parent text, connection text, shared boolean)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select c.parent, c.id, exists (select from sso_connection x where x.discovery ->> 'issuer' = lookup_id_jag_issuer.issuer and x.parent <> c.parent)
    from sso_connection c
   where c.kind = 'oidc' and c.discovery ->> 'issuer' = lookup_id_jag_issuer.issuer
   order by c.id_jag <> 'off' desc, c.id limit 1
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_idp_setup_link(token_hash bytea)
 RETURNS TABLE(parent text, org text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select l.parent, l.org from idp_setup_link l where l.hash = token_hash
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_key_scopes(after text, page integer)
 RETURNS TABLE(scope text, parent text, org text, providers text[])
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select k.scope, coalesce(o.parent, p.id), o.id, array_agg(distinct k.provider) filter (where k.wrapped is not null)
    from seal_key k left join org o on o.id = k.scope left join parent p on p.id = k.scope
   where k.scope > after group by k.scope, o.parent, p.id, o.id order by k.scope limit page
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_live_grant(grant_id text, at timestamp with time zone)
 RETURNS TABLE(parent text, org text, member text, user_id text, role text, client text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select o.parent, m.org, m.id, m.user_id, m.role, g.client_id
    from oauth_item g
    join member m on m.id = g.account_id and m.org = g.org
    join org o on o.id = m.org
    join app_user u on u.id = m.user_id and u.parent = o.parent and u.state = 'active'
   where g.model = 'Grant' and g.id = lookup_live_grant.grant_id and g.expires_at > lookup_live_grant.at
     and (g.connection is null
          or exists (select from sso_connection c where c.id = g.connection and c.parent = o.parent and c.state = 'active' and c.id_jag <> 'off'))
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_lost_calls()
 RETURNS TABLE(parent text, org text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select distinct o.parent, o.id
    from tool_call c join org o on o.id = c.org
   where c.outcome is null
     and not exists (select from gateway_node n where n.id = c.node and n.lease_until > now())
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_mail_link(wanted text)
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select l.parent from mail_link l where l.id = wanted $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_mail_link_accounts(address text)
 RETURNS TABLE(parent text, user_id text, org text, active boolean)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select u.parent, u.id, o.org, u.state = 'active' from app_user u cross join lateral (select mail_link_org(u.parent, u.id) as org) o
   where u.email_key = lower(address)
   order by o.org is null or u.state <> 'active', u.id limit 5
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_member(member_id text)
 RETURNS TABLE(parent text, org text, org_name text, member text, user_id text, role text, state text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select o.parent, m.org, o.name, m.id, m.user_id, m.role, u.state
    from member m join org o on o.id = m.org join app_user u on u.id = m.user_id and u.parent = o.parent
   where m.id = member_id
$function$
-- may be run by: gatehouse_app, gatehouse_oauth

CREATE OR REPLACE FUNCTION public.lookup_memberships_of_user(wanted_user text)
 RETURNS TABLE(parent text, org text, org_name text, member text, user_id text, role text, state text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select o.parent, m.org, o.name, m.id, m.user_id, m.role, u.state
    from member m join org o on o.id = m.org join app_user u on u.id = m.user_id and u.parent = o.parent
   where m.user_id = wanted_user and has_seat(m.org, m.id)
   order by o.name, m.id
$function$
-- may be run by: gatehouse_app, gatehouse_oauth

CREATE OR REPLACE FUNCTION public.lookup_only_parent()
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select case when count(*) = 1 then min(id) end
    from (select p.id from parent p where exists (select from org o where o.parent = p.id) limit 2) p
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_org_parent(wanted text)
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select parent from org where id = wanted $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_orphaned_grants(at_most integer)
 RETURNS TABLE(grant_id text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select g.id from oauth_item g
   where g.model = 'Grant' and not exists (select from member m where m.id = g.account_id)
   limit least(at_most, 5000)
$function$
-- may be run by: gatehouse_oauth

CREATE OR REPLACE FUNCTION public.lookup_own_keys()
 RETURNS TABLE(parent text, org text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select o.parent, k.org from own_key k join org o on o.id = k.org order by k.org
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_parents()
 RETURNS TABLE(parent text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select id from parent order by id
$function$
-- may be run by: gatehouse_oauth

CREATE OR REPLACE FUNCTION public.lookup_passkey(credential text)
 RETURNS TABLE(parent text, user_id text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select k.parent, k.user_id from passkey k where k.credential_id = credential $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_running_rotations()
 RETURNS TABLE(id text, scope text, parent text, org text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select r.id, r.scope, coalesce(o.parent, p.id), o.id
    from seal_rotation r left join org o on o.id = r.scope left join parent p on p.id = r.scope
   where r.state = 'running' order by r.started_at
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_saml_certificates_ending(before timestamp with time zone)
 RETURNS TABLE(parent text, org text, connection text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select distinct m.parent, m.org, m.connection
    from saml_certificate k join saml_connection m on m.connection = k.connection and m.parent = k.parent
         join sso_connection c on c.id = m.connection and c.parent = m.parent
   where c.state = 'active' and k.not_after < before
   limit 1000
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_saml_metadata_due(before timestamp with time zone)
 RETURNS TABLE(parent text, org text, connection text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select m.parent, m.org, m.connection
    from saml_connection m join sso_connection c on c.id = m.connection and c.parent = m.parent
   where c.state = 'active' and m.metadata_url is not null and (m.metadata_checked_at is null or m.metadata_checked_at < before)
   order by m.metadata_checked_at nulls first
   limit 200
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_saml_parents()
 RETURNS TABLE(parent text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select distinct parent from saml_connection limit 10000
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_scim_client(wanted text)
 RETURNS TABLE(directory text, parent text, org text, hash bytea, expires_at timestamp with time zone, revoked_at timestamp with time zone, directory_state text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select c.directory, c.parent, d.org, c.hash, c.expires_at, c.revoked_at, d.state
    from scim_client c join directory d on d.parent = c.parent and d.id = c.directory
   where c.id = wanted
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_scim_token(token_hash bytea, at timestamp with time zone)
 RETURNS TABLE(id text, directory text, parent text, org text, expires_at timestamp with time zone, revoked_at timestamp with time zone, directory_state text, settings jsonb)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
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
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_seal_providers()
 RETURNS text[]
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select coalesce(array_agg(distinct provider), '{}') from seal_key where wrapped is not null
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_seal_used()
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select exists (select from seal_key) or exists (select from oauth_signing_key) or exists (select from parent)
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_sealed(of_scope text, of_tab text, of_col text, after text, page integer)
 RETURNS TABLE("row" text, generation integer, sealed bytea)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
declare c sealed_column;
begin
  select * into strict c from sealed_column s where s.tab = of_tab and s.col = of_col;
  return query execute format('select (%1$s)::text, (%2$s)::int, %3$I from %4$I where %3$I is not null and %5$s and (%1$s)::text > $1 order by 1 limit $2',
    c.row_is, c.generation_is, c.col, c.tab, sealed_where(of_scope, c.scope)) using after, page;
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_sealed_columns(of_scope text)
 RETURNS TABLE(tab text, col text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select c.tab, c.col from sealed_column c
   where c.scope = case when of_scope = 'deployment' then 'deployment' when of_scope like 'org\_%' then 'org' else 'parent' end
   order by c.tab, c.col
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_sealed_counts(of_scope text)
 RETURNS TABLE(tab text, col text, key_generation bigint, n bigint)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
declare c record;
begin
  for c in select l.tab, l.col, s.scope from lookup_sealed_columns(of_scope) l join sealed_column s on s.tab = l.tab and s.col = l.col loop
    -- Only the head is fetched of what may be megabytes.
    return query execute format($q$select %1$L::text, %2$L::text, (get_byte(h, 1)::bigint << 24) | (get_byte(h, 2) << 16) | (get_byte(h, 3) << 8) | get_byte(h, 4), count(*)
        from (select substring(%2$I from 1 for 5) as h from %1$I where %2$I is not null and %3$s) x where octet_length(h) = 5 group by 3$q$,
        c.tab, c.col, sealed_where(of_scope, c.scope));
  end loop;
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_session(cookie_hash bytea)
 RETURNS TABLE(parent text, session text, user_id text, user_state text, created_at timestamp with time zone, last_seen_at timestamp with time zone, expires_at timestamp with time zone, revoked_at timestamp with time zone, idle_s integer, max_s integer)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select s.parent, s.id, s.user_id, u.state, s.created_at, s.last_seen_at, s.expires_at,
         coalesce(s.revoked_at, (
           select e.changed_at
             from member m join sso_enforcement e on e.org = m.org
            where m.user_id = s.user_id and e.state in ('staged', 'full')
              and (s.connection is null or (e.connections <> '{}' and s.connection <> all(e.connections)))
              and sso_stage_takes(e.state, e.percent, e.groups, m.user_id) and not break_glass(s.parent, s.user_id)
            limit 1)),
         l.idle_s, l.max_s
    from session s join app_user u on u.id = s.user_id and u.parent = s.parent cross join lateral session_limits(s.parent, s.user_id) l
   where s.hash = cookie_hash
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_setup_link(token_hash bytea)
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select parent from setup_link where hash = token_hash $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_sign_in_attempt(state bytea)
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select parent from sign_in_attempt where state_hash = state $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_sso_connection(wanted text)
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select parent from sso_connection where id = wanted $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_sso_test(token_hash bytea)
 RETURNS TABLE(parent text, org text, test text, connection text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select o.parent, x.org, x.id, x.connection from sso_test x join org o on o.id = x.org where x.hash = token_hash
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_tunnel(wanted text)
 RETURNS TABLE(parent text, org text, name text, generation integer, secret_hash bytea, older_secret_hash bytea, older_until timestamp with time zone, revoked_at timestamp with time zone)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select o.parent, o.id, t.name, t.generation, t.secret_hash, t.older_secret_hash, t.older_until, t.revoked_at
    from tunnel t join org o on o.id = t.org where t.id = lookup_tunnel.wanted
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_tunnel_figures()
 RETURNS TABLE(state text, n integer)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select case when exists (select from tunnel_agent a join gateway_node g on g.id = a.node and g.lease_until > now() where a.org = t.org and a.tunnel = t.id)
              then 'online' else 'offline' end, count(*)::int
    from tunnel t where t.revoked_at is null group by 1
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_unsettled_tunnels(quiet interval)
 RETURNS TABLE(parent text, org text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select distinct o.parent, o.id
    from tunnel t join org o on o.id = t.org,
         lateral (select count(*) filter (where n.lease_until > now()) as living, count(*) filter (where n.id is null or n.lease_until <= now() - lookup_unsettled_tunnels.quiet) as left_over
                    from tunnel_agent a left join gateway_node n on n.id = a.node where a.org = t.org and a.tunnel = t.id) s
   where s.left_over > 0 or (t.revoked_at is null and (s.living > 0) <> (t.told = 'online'))
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.lookup_user_parent(wanted text)
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select parent from app_user where id = wanted $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.mail_link_org(of_parent text, of_user text)
 RETURNS text
 LANGUAGE sql
 STABLE
 SET search_path TO 'public'
AS $function$
  select min(o.id) from member m join org o on o.id = m.org and o.parent = of_parent left join org_access a on a.org = m.org
   where m.user_id = of_user having bool_and(coalesce(a.mail_links, false))
$function$
-- may be run by: PUBLIC

CREATE OR REPLACE FUNCTION public.mail_link_org_of_user(wanted text)
 RETURNS text
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select mail_link_org(app_parent(), wanted) $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.make_audit_partitions(months integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
 SET lock_timeout TO '2s'
AS $function$
declare
  first timestamp;
  part text;
  made int := 0;
begin
  if months not between 1 and 24 then raise exception 'make_audit_partitions: 1 to 24 months'; end if;
  for i in 0 .. months - 1 loop
    first := date_trunc('month', now() at time zone 'utc') + make_interval(months => i);
    part := 'audit_event_' || to_char(first, 'YYYY_MM');
    continue when to_regclass('public.' || part) is not null;
    begin
      execute format('create table %I partition of audit_event for values from (%L) to (%L)', part,
        first at time zone 'utc', (first + interval '1 month') at time zone 'utc');
      execute format('alter table %I enable row level security', part);
      execute format('comment on table %I is %L', part, 'Events of one month; see audit_event.');
      made := made + 1;
    exception when check_violation or duplicate_table or lock_not_available then null;
    end;
  end loop;
  return made;
end $function$
-- may be run by: gatehouse_sequencer

CREATE OR REPLACE FUNCTION public.member_left()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public'
AS $function$
begin
  insert into membership_tombstone (org, user_id, role, cause, at) values (old.org, old.user_id, old.role, 'hand', now())
  on conflict (org, user_id) do update set role = excluded.role, cause = excluded.cause, at = excluded.at;
  return null;
end $function$
-- may be run by: PUBLIC

CREATE OR REPLACE FUNCTION public.member_of_one_parent()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public'
AS $function$
begin
  if not exists (select from org o join app_user u on u.parent = o.parent where o.id = new.org and u.id = new.user_id) then
    raise exception 'the account % is not of the parent of %', new.user_id, new.org using errcode = '40001';
  end if;
  return null;
end $function$
-- may be run by: PUBLIC

CREATE OR REPLACE FUNCTION public.members_of_users(users text[])
 RETURNS TABLE(user_id text, org text, org_name text, role text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select m.user_id, o.id, o.name, m.role
    from member m join org o on o.id = m.org
   where o.parent = app_parent() and m.user_id = any(users)
   order by o.name, o.id
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.merge_facts(wanted text, hold boolean)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
declare p merge_proposal;
begin
  select * into p from merge_proposal where id = wanted;
  if p.id is null or app_parent() is null or app_parent() not in (p.parent, p.into_parent) then
    raise exception 'merge_facts: not a side of this proposal';
  end if;
  if hold then perform from parent where id in (p.parent, p.into_parent) order by id for update; end if;
  return jsonb_build_object(
    'joining', merge_side(p.parent),
    'receiving', merge_side(p.into_parent),
    'both', coalesce((select jsonb_agg(jsonb_build_object(
        'was', m.was, 'becomes', m.becomes, 'byIdentity', m.by_identity, 'byAddress', m.by_address,
        'email', a.email, 'intoEmail', b.email, 'state', a.state, 'intoState', b.state, 'origin', b.origin,
        'roles', (select coalesce(jsonb_agg(jsonb_build_object('org', x.org, 'role', x.role) order by x.org), '[]') from member x where x.user_id = a.id),
        'intoRoles', (select coalesce(jsonb_agg(jsonb_build_object('org', x.org, 'role', x.role) order by x.org), '[]') from member x where x.user_id = b.id),
        'passkeys', (select count(*) from passkey k where k.user_id = a.id),
        'entry', (select s.directory from scim_user s where s.user_id = a.id and s.deleted_at is null),
        'intoEntry', (select s.directory from scim_user s where s.user_id = b.id and s.deleted_at is null)) order by m.was, m.becomes)
      from merge_matches(p.parent, p.into_parent) m join app_user a on a.id = m.was join app_user b on b.id = m.becomes), '[]'));
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.merge_matches(one text, other text)
 RETURNS TABLE(was text, becomes text, by_identity boolean, by_address boolean)
 LANGUAGE sql
 STABLE
 SET search_path TO 'public'
AS $function$
  select m.was, m.becomes, bool_or(m.identity), bool_or(not m.identity)
    from (select a.user_id as was, b.user_id as becomes, true as identity
            from identity_link a join sso_connection ca on ca.id = a.connection and ca.kind = 'oidc'
            join identity_link b on b.issuer = a.issuer and b.subject = a.subject
            join sso_connection cb on cb.id = b.connection and cb.kind = 'oidc'
           where a.parent = one and b.parent = other
          union all
          select a.id, b.id, false from app_user a join app_user b on b.email_key = a.email_key
           where a.parent = one and b.parent = other) m
   group by m.was, m.becomes
$function$
-- may be run by: PUBLIC

CREATE OR REPLACE FUNCTION public.merge_obstacles(wanted text, hold boolean)
 RETURNS TABLE(code text, about text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
declare
  p merge_proposal;
  orgs text[];
  directories text[];
  connections text[];
  domains text[];
begin
  select * into p from merge_proposal where id = wanted;
  if p.id is null or app_parent() is null or app_parent() not in (p.parent, p.into_parent) or p.state <> 'applied' then
    raise exception 'merge_obstacles: not a side of an applied merge';
  end if;
  if hold then perform from parent where id in (p.parent, p.into_parent) order by id for update; end if;
  select array_agg(v.id) into orgs from merge_moved v where v.merge = p.id and v.kind = 'org';
  select coalesce(array_agg(d.id), '{}') into directories from directory d where d.org = any(orgs);
  select coalesce(array_agg(v.id), '{}') into connections from merge_moved v where v.merge = p.id and v.kind = 'connection';
  select coalesce(array_agg(v.id), '{}') into domains from merge_moved v where v.merge = p.id and v.kind = 'domain';
  return query select 'org_elsewhere', o.id from org o where o.id = any(orgs) and o.parent <> p.into_parent;
  return query select 'connection_of_other', c.connection from saml_connection c
    where c.parent = p.into_parent and (c.connection = any(connections)) <> (c.org = any(orgs));
  return query
    select 'domain_of_other', d.id from domain d
     where d.parent = p.into_parent
       and (d.home_org is not null and (d.id = any(domains)) <> (d.home_org = any(orgs))
            or exists (select from domain_capture c where c.parent = d.parent and c.domain = d.id and (d.id = any(domains)) <> (c.org = any(orgs))));
  return query
    select case when t.moved or t.fresh then 'belongs_to_both' else 'was_here_before' end, t.user_id
      from merge_ties(p, orgs, directories, connections) t
     where case when t.moved then t.stays when t.fresh then t.goes and t.stays else t.goes end;
  return query
    select 'address_taken', u.id
      from app_user u join app_user o on o.parent = p.parent and o.email_key = u.email_key
     where u.parent = p.into_parent
       and u.id in (select t.user_id from merge_ties(p, orgs, directories, connections) t where t.moved or (t.fresh and t.goes));
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.merge_side(of_parent text)
 RETURNS jsonb
 LANGUAGE sql
 STABLE
 SET search_path TO 'public'
AS $function$
  select jsonb_build_object(
    'parent', p.id, 'name', p.name,
    'people', (select count(*) from app_user u where u.parent = p.id),
    'orgs', coalesce((select jsonb_agg(jsonb_build_object(
        'id', o.id, 'name', o.name, 'surface', o.surface,
        'owners', (select count(*) from member m where m.org = o.id and m.role in ('owner', 'primary_owner')),
        'people', (select count(*) from member m where m.org = o.id),
        'mode', (select v.mode from org_provisioning v where v.org = o.id),
        'seats', (select l.seats from seat_limit l where l.org = o.id and l.tier = '*'),
        'taken', (select count(*) from member_seat s where s.org = o.id and s.activated_at is not null)) order by o.id)
      from org o where o.parent = p.id), '[]'),
    'connections', coalesce((select jsonb_agg(jsonb_build_object('id', c.id, 'name', c.name, 'kind', c.kind, 'issuer', c.issuer,
        'client', c.client_id, 'state', c.state, 'matches', c.match_directory) order by c.id)
      from sso_connection c where c.parent = p.id), '[]'),
    'directories', coalesce((select jsonb_agg(jsonb_build_object('id', d.id, 'name', d.name, 'org', d.org, 'state', d.state) order by d.id)
      from directory d where d.parent = p.id), '[]'))
  from parent p where p.id = of_parent
$function$
-- may be run by: PUBLIC

CREATE OR REPLACE FUNCTION public.merge_ties(p merge_proposal, orgs text[], directories text[], connections text[])
 RETURNS TABLE(user_id text, moved boolean, fresh boolean, goes boolean, stays boolean)
 LANGUAGE sql
 STABLE
 SET search_path TO 'public'
AS $function$
  select u.id, exists (select from merge_moved v where v.merge = p.id and v.kind = 'user' and v.id = u.id),
         u.created_at >= p.applied_at,
         exists (select from member m where m.user_id = u.id and m.org = any(orgs))
           or exists (select from scim_user s where s.user_id = u.id and s.directory = any(directories))
           or exists (select from identity_link l where l.user_id = u.id and l.connection = any(connections))
           or exists (select from org_group_member g where g.user_id = u.id and g.org = any(orgs)),
         exists (select from member m where m.user_id = u.id and m.org <> all(orgs))
           or exists (select from scim_user s where s.user_id = u.id and s.directory <> all(directories))
           or exists (select from identity_link l where l.user_id = u.id and l.connection <> all(connections))
           or exists (select from org_group_member g where g.user_id = u.id and g.org is not null and g.org <> all(orgs))
    from app_user u
   where u.parent = p.into_parent and not exists (select from merge_moved v where v.merge = p.id and v.kind = 'joined' and v.other = u.id)
$function$
-- may be run by: PUBLIC

CREATE OR REPLACE FUNCTION public.orgs_of_user(wanted text)
 RETURNS TABLE(org text, name text, role text)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select o.id, o.name, m.role
    from member m join org o on o.id = m.org
   where o.parent = app_parent() and m.user_id = wanted
   order by o.name, o.id
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.passkey_standing(wanted text)
 RETURNS TABLE(org text, name text, allowed boolean, break_glass boolean)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
  select o.id, o.name, coalesce(a.passkeys, false),
         u.origin = 'local' and m.role in ('owner', 'primary_owner')
           and (m.role = 'primary_owner' or exists (select from provisioning_exempt e where e.org = m.org and e.user_id = m.user_id))
    from member m join org o on o.id = m.org and o.parent = app_parent() join app_user u on u.id = m.user_id and u.parent = o.parent
    left join org_access a on a.org = m.org
   where m.user_id = wanted
   order by o.id
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.place_moved_secret(wanted text, tab text, id text, was bytea, becomes bytea)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
begin
  if not exists (select from merge_proposal p where p.id = wanted and app_parent() = p.into_parent and p.state in ('applied', 'undone')) then
    raise exception 'place_moved_secret: not the receiving side of this merge';
  end if;
  if tab = 'sso_connection' then
    update sso_connection c set secret_sealed = becomes where c.id = place_moved_secret.id and c.secret_sealed = was
       and exists (select from merge_moved v where v.merge = wanted and v.kind = 'connection' and v.id = c.id);
  elsif tab = 'saml_key' then
    update saml_key k set private_sealed = becomes where k.id = place_moved_secret.id and k.private_sealed = was
       and exists (select from merge_moved v where v.merge = wanted and v.kind = 'org' and v.id = k.org);
  else
    raise exception 'place_moved_secret: no secrets in %', tab;
  end if;
  return found;
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.place_resealed(of_scope text, of_tab text, of_col text, of_row text, was bytea, becomes bytea)
 RETURNS boolean
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
declare c sealed_column; n int;
begin
  select * into strict c from sealed_column s where s.tab = of_tab and s.col = of_col;
  execute format('update %1$I set %2$I = $1 where %2$I = $2 and (%3$s)::text = $3 and %4$s', c.tab, c.col, c.row_is, sealed_where(of_scope, c.scope))
    using becomes, was, of_row;
  get diagnostics n = row_count;
  return n = 1;
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.prune_decided_calls(edge timestamp with time zone, most integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
declare
  o record;
  gone int;
  total int := 0;
  first_kept text := 'tcl_' || lpad(to_hex(greatest(0, floor(extract(epoch from edge) * 1000))::bigint), 12, '0');
begin
  for o in select id from org loop
    delete from decided_call d
     where d.org = o.id
       and d.call in (select x.call from decided_call x where x.org = o.id and x.call < first_kept order by x.call limit most);
    get diagnostics gone = row_count;
    total := total + gone;
  end loop;
  return total;
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.prune_scim_journal(at timestamp with time zone, keep integer, most integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
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
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.prune_session_reads(edge timestamp with time zone, most integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
declare
  o record;
  gone int;
  total int := 0;
begin
  for o in select id from org loop
    delete from session_read d
     where d.org = o.id and d.ctid = any(array(select x.ctid from session_read x where x.org = o.id and x.at < edge limit most));
    get diagnostics gone = row_count;
    total := total + gone;
  end loop;
  return total;
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.record_calls(the_parent text, the_org text, the_node text, opens json, ends json, reads json DEFAULT '[]'::json)
 RETURNS text[]
 LANGUAGE plpgsql
 SET search_path TO 'public'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
AS $function$
declare ended text[];
begin
  perform set_config('app.parent', the_parent, true), set_config('app.org', the_org, true);
  if json_array_length(opens) > 0 then
    insert into tool_call (org, id, connector, tool, member, user_id, client, args_hash, node, opened_at)
    select the_org, c.id, c.connector, c.tool, c.member, c.user_id, c.client, decode(c.args_hash, 'hex'), the_node, c.at
      from json_to_recordset(opens) as c(id text, connector text, tool text, member text, user_id text, client text, args_hash text, at timestamptz);
    insert into audit_inbox (id, log, at, header, data, salt)
    select n.note, the_org, n.at, n.header, n.data, decode(n.salt, 'hex')
      from json_to_recordset(opens) as n(note text, at timestamptz, header jsonb, data jsonb, salt text);
  end if;
  if json_array_length(ends) > 0 then
    with done as (
      update tool_call t set outcome = c.outcome, why = c.why, closed_at = c.at
        from json_to_recordset(ends) as c(id text, outcome text, why text, at timestamptz)
       where t.org = the_org and t.id = c.id and t.outcome is null
      returning t.id)
    select array_agg(id) into ended from done;
    insert into decided_call (org, call, answer, version, engine, policies, asked)
    select the_org, d.id, d.answer, d.version, d.engine, d.policies, d.asked
      from json_to_recordset(ends) as d(id text, answer text, version text, engine text, policies text[], asked json)
     where d.answer is not null and d.id = any(ended);
    insert into audit_inbox (id, log, at, header, data, salt)
    select n.note, the_org, n.at, n.header, n.data, decode(n.salt, 'hex')
      from json_to_recordset(ends) as n(id text, note text, at timestamptz, header jsonb, data jsonb, salt text)
     where n.id = any(ended);
  end if;
  if json_array_length(reads) > 0 then
    -- In one order, so that two statements for one session wait for each other and not for ever.
    insert into session_read (org, session, connector, tool, untrusted, private, at)
    select the_org, r.session, r.connector, r.tool, r.untrusted, r.private, max(r.at)
      from json_to_recordset(reads) as r(session text, connector text, tool text, untrusted boolean, private boolean, at timestamptz)
     group by r.session, r.connector, r.tool, r.untrusted, r.private
     order by r.session, r.connector, r.tool, r.untrusted, r.private
    on conflict (org, session, connector, tool, untrusted, private) do update set at = greatest(session_read.at, excluded.at);
  end if;
  return coalesce(ended, '{}');
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.record_oauth_event(of_parent text, of_org text, event_id text, event_at timestamp with time zone, header jsonb, data jsonb, salt bytea, bump boolean)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
declare
  target text := coalesce(of_org, of_parent);
begin
  if of_org is null and not exists (select from parent p where p.id = of_parent)
     or of_org is not null and not exists (select from org o where o.id = of_org and o.parent = of_parent) then
    raise exception 'record_oauth_event: no such log';
  end if;
  if header ->> 'type' is null or header ->> 'type' !~ '^authorization\.[a-z_]+$' or header ->> 'log' is distinct from target
     or header ->> 'id' is distinct from event_id
     or coalesce(header -> 'actor' ->> 'kind', '') not in ('user', 'agent', 'nobody') then
    raise exception 'record_oauth_event: not an event of this room';
  end if;
  insert into audit_inbox (id, log, at, header, data, salt) values (event_id, target, event_at, header, data, salt);
  if bump then
    perform set_config('app.parent', of_parent, true), set_config('app.org', coalesce(of_org, ''), true);
    perform bump_version(of_parent, of_org);
    perform set_config('app.parent', '', true), set_config('app.org', '', true);
  end if;
end $function$
-- may be run by: gatehouse_oauth

CREATE OR REPLACE FUNCTION public.revoke_oauth_grant(wanted text, of_member text)
 RETURNS TABLE(member text, client text)
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
begin
  perform pg_advisory_xact_lock(hashtextextended(wanted, 0));
  return query delete from oauth_item g
    where g.model = 'Grant' and g.id = wanted and g.org = app_org() and (of_member is null or g.account_id = of_member)
    returning g.account_id, g.client_id;
  if found then
    delete from oauth_item t where t.grant_id = wanted;
  end if;
end $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.scim_group_counted()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public'
AS $function$
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
end $function$
-- may be run by: PUBLIC

CREATE OR REPLACE FUNCTION public.scim_user_counted()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'public'
AS $function$
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
end $function$
-- may be run by: PUBLIC

CREATE OR REPLACE FUNCTION public.sealed_where(of_scope text, kind text)
 RETURNS text
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'public'
AS $function$
begin
  if of_scope is null or (of_scope is distinct from app_org() and of_scope is distinct from app_parent() and of_scope <> 'deployment') then
    raise exception 'sealed_where: not the scope of this transaction';
  end if;
  return case kind when 'deployment' then 'true' else format('%I = %L', kind, of_scope) end;
end $function$
-- may be run by: PUBLIC

CREATE OR REPLACE FUNCTION public.session_limits(of_parent text, of_user text)
 RETURNS TABLE(idle_s integer, max_s integer)
 LANGUAGE sql
 STABLE
 SET search_path TO 'public'
AS $function$
  select coalesce(min(coalesce(a.session_idle_s, 43200)), 43200), coalesce(min(coalesce(a.session_max_s, 604800)), 604800)
    from member m join org o on o.id = m.org and o.parent = of_parent left join org_access a on a.org = m.org
   where m.user_id = of_user
$function$
-- may be run by: PUBLIC

CREATE OR REPLACE FUNCTION public.session_limits_of_user(wanted text)
 RETURNS TABLE(idle_s integer, max_s integer)
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'public'
AS $function$ select idle_s, max_s from session_limits(app_parent(), wanted) $function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.sso_stage_takes(state text, percent integer, groups text[], wanted_user text)
 RETURNS boolean
 LANGUAGE sql
 STABLE
 SET search_path TO 'public'
AS $function$
  select case state
    when 'full' then true
    when 'staged' then
      ('x' || substr(encode(sha256(convert_to('sso stage ' || wanted_user, 'UTF8')), 'hex'), 1, 8))::bit(32)::bigint % 100 < percent
      or exists (select from org_group_member y where y.user_id = wanted_user and y.group_id = any(groups))
      or exists (select from scim_user u join scim_membership m on m.scim_user = u.id
                  where u.user_id = wanted_user and u.deleted_at is null and u.active and m.group_id = any(groups))
    else false end
$function$
-- may be run by: gatehouse_app

CREATE OR REPLACE FUNCTION public.undo_merge(wanted text, at timestamp with time zone, by text)
 RETURNS jsonb
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'public'
AS $function$
declare
  p merge_proposal;
  torn text[];
  orgs text[];
  users text[];
  directories text[];
  connections text[];
  domains text[];
  olds text[];
  news text[];
begin
  select * into p from merge_proposal where id = wanted for update;
  if p.id is null or app_parent() is distinct from p.into_parent then raise exception 'undo_merge: not the receiving side of this merge'; end if;
  if p.state <> 'applied' or undo_merge.at > p.undo_until then raise exception 'undo_merge: the merge is % and could be undone until %', p.state, p.undo_until; end if;
  perform from parent where id in (p.parent, p.into_parent) order by id for update;
  if exists (select from merge_obstacles(wanted, false)) then raise exception 'undo_merge: something stands in the way'; end if;
  select array_agg(v.id) into orgs from merge_moved v where v.merge = p.id and v.kind = 'org';
  perform from org o where o.id = any(orgs) order by o.id for update;
  select coalesce(array_agg(d.id), '{}') into directories from directory d where d.org = any(orgs);
  select coalesce(array_agg(v.id), '{}') into connections from merge_moved v where v.merge = p.id and v.kind = 'connection';
  select coalesce(array_agg(v.id), '{}') into domains from merge_moved v where v.merge = p.id and v.kind = 'domain';
  select coalesce(array_agg(v.other), '{}'), coalesce(array_agg(v.id), '{}') into olds, news from merge_moved v where v.merge = p.id and v.kind = 'joined';
  select coalesce(array_agg(t.user_id), '{}') into users from merge_ties(p, orgs, directories, connections) t where t.moved or (t.fresh and t.goes);

  set constraints all deferred;
  delete from sign_in_attempt a where a.parent = p.into_parent and (a.user_id = any(users) or a.user_id = any(olds));
  -- A session, and what was said at a sign-in, cannot stand between two parents.
  select coalesce(array_agg(s.id), '{}') into torn from session s
   where s.parent = p.into_parent and s.connection is not null and (s.connection = any(connections)) <> (s.user_id = any(users));
  delete from saml_logout l where l.session = any(torn);
  delete from saml_session l where l.session = any(torn);
  delete from session s where s.id = any(torn);
  delete from user_attribute a where a.parent = p.into_parent and (a.connection = any(connections)) <> (a.user_id = any(users));
  delete from domain_capture_offer f using domain_capture c
   where f.parent = p.into_parent and c.parent = f.parent and c.id = f.capture and f.user_id <> all(olds)
     and (c.domain = any(domains)) <> (f.user_id = any(users));
  update sign_in_trace t set user_id = null where t.connection is not null and t.parent = p.into_parent and t.user_id is not null and t.user_id <> all(olds)
     and (t.connection = any(connections)) <> (t.user_id = any(users));
  update identity_seen t set user_id = null where t.parent = p.into_parent and t.user_id is not null and t.user_id <> all(olds)
     and (t.connection = any(connections)) <> (t.user_id = any(users));
  delete from org_group_member m using merge_moved v where v.merge = p.id and v.kind = 'group_joined' and m.group_id = v.id and m.user_id = v.other;
  delete from merge_moved v where v.merge = p.id and v.kind = 'group_joined';
  perform carry_attribute_groups(p.id, p.into_parent, p.parent, orgs, users, '{}', '{}');
  perform carry_rows(p.into_parent, p.parent, orgs, users, directories, connections, domains, olds, news);
  insert into user_attribute (parent, user_id, name, vals, connection, asserted_at)
  select a.parent, a.user_id, a.name, a.vals, a.connection, a.asserted_at
    from merge_moved v cross join jsonb_populate_record(null::user_attribute, v.saved) a where v.merge = p.id and v.kind = 'attribute'
  on conflict do nothing;
  -- Groups that the merge made are not wanted any more where nobody and nothing is in them.
  delete from org_group g using merge_moved v
   where v.merge = p.id and v.kind = 'group_made' and g.id = v.id and g.parent = p.into_parent
     and not exists (select from org_group_member m where m.group_id = g.id)
     and not exists (select from rule t where t.who_id = g.id) and not exists (select from group_mapping t where t.group_id = g.id);

  update scim_user s set user_id = v.other, unlinked_because = null, suspended_here = s.suspended_here or not s.active
    from merge_moved v where v.merge = p.id and v.kind = 'entry' and s.id = v.id and s.user_id is null and s.deleted_at is null;
  update app_user u set state = 'suspended', suspended_at = undo_merge.at, suspended_by = 'undo_merge'
    from unnest(olds, news) as x(was, becomes)
   where u.id = x.becomes and u.state = 'active'
     and (exists (select from app_user o where o.id = x.was and o.state = 'suspended')
          or exists (select from merge_moved v join scim_user s on s.id = v.id
                      where v.merge = p.id and v.kind = 'entry' and v.other = x.becomes and (s.deleted_at is not null or not s.active)));
  update merge_proposal o set state = 'undone', ended_at = undo_merge.at, ended_by = undo_merge.by where o.id = p.id;
  return jsonb_build_object('orgs', to_jsonb(orgs), 'people', cardinality(users), 'joined', cardinality(olds),
                            'directories', cardinality(directories), 'connections', cardinality(connections), 'domains', cardinality(domains));
end $function$
-- may be run by: gatehouse_app
