import type { Connector } from '#connectors/connector.ts';
import { egressRules } from '#connectors/connector.ts';
import { listConnectors } from '#connectors/connector.sql.ts';
import { keepsReview, seenTool } from '#connectors/builtin-tools.ts';
import type { BuiltinTool } from '#connectors/kit/builtin-tool.ts';
import { toolsOf } from '#connectors/kit/tool-definition.ts';
import { importedTools } from '#connectors/openapi/offered-operations.ts';
import { openBearer } from '#connectors/refresh-tools.ts';
import { settleBuiltin } from '#connectors/settle-builtin.ts';
import { listInstructions, listTools } from '#connectors/tool.sql.ts';
import { isRecord, type Tool } from '#connectors/tool.ts';
import { loadDlpView, type DlpView } from '#dlp/dlp-view.ts';
import { scannersOf } from '#dlp/scanners/scanners-of.ts';
import { systemCtx, type World } from '#kernel/ctx.ts';
import type { EgressRules } from '#kernel/egress.ts';
import type { Id } from '#kernel/id.ts';
import type { Secret } from '#kernel/secret.ts';
import type { Versions } from '#kernel/versions.ts';
import type { Projection } from '#policy/argument.ts';
import type { PolicySet } from '#policy/decide.ts';
import { loadPolicySet } from '#policy/load-policy-set.ts';
import { paramHeadersOf } from './check-headers.ts';
import type { ActAs } from '#vault/vendor-auth.ts';
import { vendorOf } from '#connectors/vendors/all-vendors.ts';
import type { BuiltinView } from './answer-here.ts';
import { listCallLimits } from './limits/call-limit.sql.ts';
import { limitsOf, type CallLimits } from './limits/call-limits.ts';
import { cached } from './view-cache.ts';

/** A tool as calls need it. */
export type CalledTool = Pick<Tool, 'name' | 'state' | 'class' | 'pin' | 'reviewedPin'> & {
  paramHeaders: readonly [string, string[]][];
  /** Where a reviewer said that rules find what they speak of; absent: rules see no argument. */
  projection?: Projection | undefined;
  /** A JSON Schema that its arguments must fit, as the reviewer gave it. */
  stricter?: string | undefined;
  /** What its answers bring into a session, and whether it can carry content out, as the reviewer said; absent: its class says. */
  brings?: Tool['brings'];
  outward?: boolean | undefined;
};

export type ConnectorView = {
  id: Id<'con'>;
  type: string;
  slug: string;
  name: string;
  /** Whose account calls use; `none`: `bearer` is all there is. */
  actAs: ActAs;
  /** Of a connector whose tools are ours; `unknown`: of a kind of system that this version does not have. */
  builtin: BuiltinView | 'unknown' | undefined;
  state: Connector['state'];
  origin: string;
  path: string;
  rules: EgressRules;
  tools: ReadonlyMap<string, CalledTool>;
  /** What it tells clients of itself: as last seen, and as a reviewer accepted it. */
  instructions: { pin: string | undefined; reviewedPin: string | undefined } | undefined;
  bearer(): Promise<Secret | undefined>;
};

/** Everything of an organization that a call is decided on, as of one moment. */
export type OrgView = {
  connectors: ReadonlyMap<string, ConnectorView>;
  policies: PolicySet;
  dlp: DlpView;
  /** How many calls there may be, by connector. */
  limits: (connector: string) => CallLimits;
};

export type Place = { parent: Id<'par'>; org: Id<'org'> };

/** Reads an organization once per version; see kernel/versions.ts for how late that can be. */
export function orgViews(world: World, versions: Versions): (place: Place) => Promise<OrgView> | OrgView {
  // Once for each connector and process: while two versions of Gatehouse run side by side, neither must undo the other's for ever.
  const settled = new Set<Id<'con'>>();
  const settle = (id: Id<'con'>, place: Place): void => {
    if (settled.has(id)) return;
    settled.add(id);
    settleBuiltin({ ...systemCtx(world, 'gateway.builtin', place), org: place.org }, id).catch((err: unknown) =>
      world.log.error({ err, connector: id }, 'the tools of this version were not written down'),
    );
  };
  return cached(
    versions,
    (p: Place) => p.org,
    (p) => [p.parent, p.org],
    (place) =>
      world.db.read(place, async (db) => {
        const [policies, dlp, connectors, tools, told, limits] = [
          await loadPolicySet(db),
          await loadDlpView(db, { seal: world.seal, org: place.org, engines: scannersOf(world, place) }),
          await listConnectors(db),
          await listTools(db),
          await listInstructions(db),
          await listCallLimits(db),
        ];
        const imported = await importedTools(db, new Map(connectors.map((c) => [c.id, c.name])));
        return {
          policies,
          dlp,
          limits: limitsOf(limits),
          connectors: new Map(
            connectors.map((c) => {
              const view = viewOf(world, place, c, { tools, told, imported: imported.get(c.id) });
              if (unsettled(view)) settle(c.id, place);
              return [c.slug, view];
            }),
          ),
        };
      }),
  );
}

function viewOf(
  world: World,
  place: Place,
  c: Connector,
  {
    tools,
    told,
    imported,
  }: {
    tools: readonly Tool[];
    told: readonly Tool[];
    /** Of a connector that was imported: what its operations are run by. */
    imported: readonly BuiltinTool[] | undefined;
  },
): ConnectorView {
  const url = new URL(c.url);
  const builtin = c.mode === 'builtin' ? builtinOf(c, imported) : undefined;
  const own = typeof builtin === 'object' ? ownTools(builtin) : undefined;
  const instructions = told.find((t) => t.connector === c.id);
  // Opened at the first call and kept as long as the view, so as a change of it is seen.
  let bearer: Promise<Secret | undefined> | undefined;
  return {
    id: c.id,
    type: c.type,
    slug: c.slug,
    name: c.name,
    actAs: c.actAs,
    builtin,
    state: c.state,
    origin: url.origin,
    path: url.pathname + url.search,
    rules: egressRules(c),
    tools: new Map(tools.filter((t) => t.connector === c.id).map((t) => [t.name, called(t, own)])),
    instructions: instructions && {
      pin: instructions.state === 'removed' ? undefined : instructions.pin,
      reviewedPin: instructions.reviewedPin,
    },
    bearer: () => (bearer ??= openBearer({ seal: world.seal, org: place.org }, c)),
  };
}

function builtinOf(c: Connector, imported: readonly BuiltinTool[] | undefined): BuiltinView | 'unknown' {
  const manifest = vendorOf(c.type, c.settings);
  if (!manifest?.builtin) return 'unknown';
  const builtin = imported ? { ...manifest.builtin, tools: imported } : manifest.builtin;
  return { manifest, builtin, access: c.access, settings: c.settings, replaced: c.origins };
}

/** What this process would run. */
const ownTools = (b: BuiltinView): ReadonlyMap<string, BuiltinTool> =>
  new Map(toolsOf(b.builtin, b.access).map((t) => [t.name, t]));

/** Whether what is known of a connector's tools is not what this version of Gatehouse has. */
function unsettled(c: ConnectorView): boolean {
  if (typeof c.builtin !== 'object') return false;
  const own = ownTools(c.builtin);
  const known = [...c.tools.values()].filter((t) => t.state !== 'removed');
  return known.length !== own.size || known.some((t) => pinOf(own.get(t.name)) !== t.pin);
}

const pinOf = (t: BuiltinTool | undefined): string | undefined => t && seenTool(t).pin;
const runsAsReviewed = (t: Tool, own: BuiltinTool | undefined): boolean =>
  own !== undefined && (seenTool(own).pin === t.pin || keepsReview(t, own));

/** INVARIANT (what was reviewed is what runs): a tool of ours is usable where this process has it as it was reviewed, whatever another version wrote. */
function called(t: Tool, own: ReadonlyMap<string, BuiltinTool> | undefined): CalledTool {
  const definition: unknown = JSON.parse(t.definition);
  return {
    name: t.name,
    state: own !== undefined && t.state === 'reviewed' && !runsAsReviewed(t, own.get(t.name)) ? 'changed' : t.state,
    class: t.class,
    pin: t.pin,
    reviewedPin: t.reviewedPin,
    projection: t.projection,
    stricter: t.stricter,
    brings: t.brings,
    outward: t.outward,
    paramHeaders: isRecord(definition) ? paramHeadersOf(definition['inputSchema']) : [],
  };
}
