import type { Db, Role } from './db.ts';
import { findStanding, type Standing } from './check-database.sql.ts';
import { Problem } from './problem.ts';

/** Older ones let every role create things in schema public, and know no `security_invoker` views. */
const OLDEST = 15;

const roles = [
  'gatehouse_app',
  'gatehouse_sequencer',
  'gatehouse_oauth',
  'gatehouse_worker',
] as const satisfies readonly Role[];

const rolesFile = 'server/schema/roles.sql';

/** Why this login must not serve, or undefined. The worst comes first, so that mending what is said makes a difference. */
export function standingProblem(s: Standing): Problem | undefined {
  const no = (code: string, says: string, fix: string): Problem => new Problem('conflict', `db/${code}`, { says, fix });
  const major = Math.floor(s.version / 10_000);
  const [superuser] = s.superuser;
  const [bypass] = s.bypass;
  const [creator] = s.creators;
  const become = (role: string): string =>
    role === s.login ? `"${s.login}"` : `"${s.login}", which can become "${role}",`;
  if (major < OLDEST)
    return no(
      'too-old',
      `the database is PostgreSQL ${major}; Gatehouse needs ${OLDEST} or newer`,
      'upgrade PostgreSQL, or leave DATABASE_URL unset to use the embedded one',
    );
  if (superuser !== undefined)
    return no(
      'superuser',
      `DATABASE_URL signs in as ${become(superuser)} a superuser; row-level security does not hold for it, and it could rewrite the audit log`,
      `run ${rolesFile} as an administrator, give "gatehouse" a password, and sign in as "gatehouse"`,
    );
  if (bypass !== undefined)
    return no(
      'bypass-rls',
      `DATABASE_URL signs in as ${become(bypass)} and that role has BYPASSRLS, so nothing would keep organizations apart`,
      `run "alter role ${bypass} nobypassrls", or sign in as "gatehouse" made by ${rolesFile}`,
    );
  if (creator !== undefined)
    return no(
      'create-role',
      `DATABASE_URL signs in as ${become(creator)} and that role has CREATEROLE, so it could give itself any other`,
      `run "alter role ${creator} nocreaterole", or sign in as "gatehouse" made by ${rolesFile}`,
    );
  if (s.owned !== null)
    return no(
      'owner',
      `DATABASE_URL signs in as "${s.login}", which owns tables or can become their owner (${s.owned}); an owner can switch row-level security off`,
      'sign in as "gatehouse" in DATABASE_URL, and as the owner only in the URL for migrations',
    );
  if (s.missing.length > 0)
    return no(
      'role-missing',
      `"${s.login}" is not a member of ${s.missing.join(', ')}`,
      `run ${rolesFile} as an administrator, and sign in as "gatehouse"`,
    );
  if (s.encoding !== 'UTF8')
    return no(
      'encoding',
      `the database's encoding is ${s.encoding}; names of people need UTF8`,
      `make the database anew with "create database … encoding 'UTF8' template template0"`,
    );
  return undefined;
}

const codeOf = (e: unknown): string => (e instanceof Error && 'code' in e && typeof e.code === 'string' ? e.code : '');

/** What PostgreSQL answered instead of a session. */
function signInProblem(e: unknown): unknown {
  const cause = e instanceof Problem ? e.cause : e;
  const text = cause instanceof Error ? cause.message : '';
  const no = (code: string, says: string, fix: string): Problem =>
    new Problem('unavailable', `db/${code}`, { says, fix, because: cause });
  switch (codeOf(cause)) {
    case '28P01':
      return no(
        'wrong-password',
        `the database refuses the password in DATABASE_URL: ${text}`,
        'set it with "alter role gatehouse password …" and put the same into DATABASE_URL',
      );
    case '28000':
      return /role ".*" does not exist/.test(text)
        ? no('role-missing', `the database has no such login: ${text}`, `run ${rolesFile} as an administrator`)
        : no(
            'not-admitted',
            `the database does not admit us: ${text}`,
            'add a line for this host and user to pg_hba.conf',
          );
    case '22023': // the role named at the start of the connection is not there
    case '42704':
      return no('role-missing', `the login cannot take on its role: ${text}`, `run ${rolesFile} as an administrator`);
    case '42501':
      return /set role/.test(text)
        ? no('role-missing', `the login cannot take on its role: ${text}`, `run ${rolesFile} as an administrator`)
        : no(
            'not-admitted',
            `the database does not admit us: ${text}`,
            'run "grant connect on database … to gatehouse"',
          );
    case '3D000':
      return no('no-database', text, 'run "create database gatehouse owner gatehouse_owner" as an administrator');
    case 'ECONNREFUSED':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
      return no(
        'unreachable',
        `nothing answers at the address in DATABASE_URL: ${text}`,
        'start PostgreSQL, or correct the host and port',
      );
    default:
      return e;
  }
}

/**
 * Refuses a database login that could step around what the product promises (docs/trust.md): run once before anything is served.
 * Whoever runs the deployment reads the Problem; nothing else does.
 */
export async function checkDatabase(db: Db): Promise<void> {
  let standing: Standing;
  try {
    standing = await db.read({}, (r) => findStanding(r, roles));
  } catch (e) {
    throw signInProblem(e);
  }
  const problem = standingProblem(standing);
  if (problem) throw problem;
}
