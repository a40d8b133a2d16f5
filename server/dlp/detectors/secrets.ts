// A long file: a table of some sixty token shapes, each with its samples.
import { crc32 } from 'node:zlib';
import { detector, type Detector } from '../detector.ts';
import { tokens, upTo } from './behind-words.ts';
import { isSecretLooking } from './entropy.ts';

/** A token that its issuer marks with a fixed beginning. The shapes are those that the issuers publish. */
type Token = {
  id: string;
  says: string;
  /** Where to look, in any case; the token begins there, or `before` that many characters at most. */
  keywords: readonly string[];
  /** The whole token, in its exact case. */
  shape: RegExp;
  /** The token begins at most so far before the keyword. */
  back?: number;
  catches: readonly string[];
  spares: readonly string[];
};

const glued = /[A-Za-z0-9_]/;

/** A token by its shape. What is all one character, as in documentation, is none. */
function token({ id, says, keywords, shape, back = 0, catches, spares }: Token): Detector {
  const sticky = new RegExp(`(?:${shape.source})(?![A-Za-z0-9_])`, 'y');
  return detector(id, {
    says,
    class: 'prefix',
    severity: 'critical',
    finds: [
      {
        among: 'keywords',
        keywords,
        find(text, from) {
          for (let start = from; start >= Math.max(0, from - back); start--) {
            if (start > 0 && glued.test(text.charAt(start - 1)) && !afterEscape(text, start)) continue;
            sticky.lastIndex = start;
            const found = sticky.exec(text)?.[0];
            if (found !== undefined && isSecretLooking(found))
              return [{ start, end: start + found.length, text: found }];
          }
          return [];
        },
      },
    ],
    catches,
    spares,
  });
}

/** `\nAKIA…` in text that was written as JSON: the n belongs to the line end. */
const afterEscape = (text: string, at: number): boolean => /[nrt]/.test(text.charAt(at - 1)) && text[at - 2] === '\\';

const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** GitHub and npm end their tokens with the CRC-32 of what is between, in base 62. */
export function tokenChecksum(body: string): string {
  let n = crc32(body);
  let out = '';
  for (let i = 0; i < 6; i++, n = Math.floor(n / 62)) out = base62.charAt(n % 62) + out;
  return out;
}

// The samples are put together here, so that no scanner of repositories takes this file for a leak.
/** So that no sample stands here as it is. */
const put = (a: string, b: string): string => a + b;
const letters =
  'q7Rk2Vn9Xw4Lc8Hb3Tz6Jd1Fs5Gm0Pa7Yu2Eo9Ri4Kb8Nv3Cx6Ql1Wj5Zh0Dt7Mf2Sg9Ap4Uy8Ie3Ok6Br1Lv5Xn0Hc7Tw2Jz9Ff4Gs8Pm3Yd6'.repeat(
    2,
  );
const some = (n: number): string => letters.slice(0, n);
const hex = (n: number): string => '3f9a1c7e5b2d8046af17c3e92b6d5084'.repeat(4).slice(0, n);
const digits = (n: number): string => '8305719246'.repeat(3).slice(0, n);
const same = (n: number): string => 'x'.repeat(n);

export const secrets: readonly Detector[] = [
  token({
    id: 'aws_access_key',
    says: 'AWS access key ids',
    keywords: ['akia', 'asia', 'abia', 'acca'],
    shape: /(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}/,
    catches: [
      put('AKIA', 'J4QH7ZXW2MNB5KTC'),
      put('key=ASIA', 'Y34FZKBOKMUTVV7A&x'),
      put('"\\nAKIA', 'J4QH7ZXW2MNB5KTC\\n"'),
    ],
    spares: [
      'AKIA1111111111111111',
      'akiaj4qh7zxw2mnb5ktc',
      'XAKIAJ4QH7ZXW2MNB5KTC',
      'AKIAJ4QH7ZXW2MNB5KTCX',
      'Made in ASIA',
    ],
  }),
  token({
    id: 'github_token',
    says: 'GitHub tokens',
    keywords: ['ghp_', 'gho_', 'ghu_', 'ghs_', 'ghr_', 'github_pat_'],
    shape: /gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}/,
    catches: [
      `ghp_${some(30)}${tokenChecksum(some(30))}`,
      `gho_${some(36)}`,
      `github_pat_${some(22)}_${some(59)}`,
      `https://ghs_${some(36)}@github.com/a/b`,
    ],
    spares: [`ghp_${some(35)}`, `ghp_${same(36)}`, `ghx_${some(36)}`, `github_pat_${some(22)}`],
  }),
  token({
    id: 'gitlab_token',
    says: 'GitLab tokens',
    keywords: [
      'glpat-',
      'gldt-',
      'glrt-',
      'glcbt-',
      'glptt-',
      'glft-',
      'glsoat-',
      'glimt-',
      'glagent-',
      'gloas-',
      'glffct-',
    ],
    shape: /gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent|oas|ffct)-[A-Za-z0-9_-]{20,128}(?:\.[a-z0-9]{2}\.[a-z0-9]{7,9})?/,
    catches: [`glpat-${some(20)}`, `glrt-${some(20)}`, `glpat-${some(27)}.01.0w1abcdef`],
    spares: [`glpat-${some(12)}`, `glpat-${same(20)}`, `xglpat-${some(20)}`],
  }),
  token({
    id: 'slack_token',
    says: 'Slack tokens and webhooks',
    keywords: [
      'xoxb-',
      'xoxp-',
      'xoxa-',
      'xoxr-',
      'xoxs-',
      'xoxe-',
      'xoxe.xox',
      'xapp-',
      'xoxc-',
      'xoxd-',
      'hooks.slack.com/',
    ],
    shape:
      /xox[abpresc]-(?:\d{1,14}-){0,3}[A-Za-z0-9]{16,146}|xoxd-[A-Za-z0-9%]{20,400}|xoxe\.xox[bp]-\d-[A-Za-z0-9]{100,200}|xapp-\d-[A-Z0-9]{8,20}-\d{8,20}-[a-z0-9]{32,80}|hooks\.slack\.com\/(?:services\/T[A-Z0-9]{6,14}\/B[A-Z0-9]{6,14}\/[A-Za-z0-9]{20,32}|workflows\/[A-Za-z0-9/]{40,64})/,
    catches: [
      `xoxb-${digits(12)}-${digits(12)}-${some(24)}`,
      `xapp-1-A0${digits(9)}-${digits(13)}-${hex(64)}`,
      `https://hooks.slack.com/services/T0${digits(8)}/B0${digits(8)}/${some(24)}`,
    ],
    spares: ['xoxb-not-a-token', `xoxb-${same(24)}`, 'https://hooks.slack.com/services/docs'],
  }),
  token({
    id: 'stripe_key',
    says: 'Stripe secret keys',
    keywords: ['sk_live_', 'sk_test_', 'rk_live_', 'rk_test_', 'whsec_'],
    shape: /[sr]k_(?:live|test)_[A-Za-z0-9]{16,247}|whsec_[A-Za-z0-9+/]{32,64}={0,2}/,
    catches: [`sk_live_${some(24)}`, `rk_test_${some(99)}`, `whsec_${some(32)}`],
    spares: [`pk_live_${some(24)}`, `sk_live_${same(24)}`, 'sk_live_key', `task_live_${some(24)}`],
  }),
  token({
    id: 'openai_key',
    says: 'OpenAI keys',
    keywords: ['sk-'],
    shape: /sk-(?:(?:proj|svcacct|admin|None)-[A-Za-z0-9_-]{40,200}|[A-Za-z0-9]{48})/,
    catches: [
      `sk-${some(20)}T3BlbkFJ${some(20)}`,
      `sk-proj-${some(48)}T3BlbkFJ${some(40)}`,
      `OPENAI_API_KEY=sk-svcacct-${some(64)}`,
    ],
    spares: ['sk-learn', `sk-${same(48)}`, `disk-${some(48)}`, 'sk-proj-short'],
  }),
  token({
    id: 'anthropic_key',
    says: 'Anthropic keys',
    keywords: ['sk-ant-'],
    shape: /sk-ant-[a-z]{3,6}\d{2}-[A-Za-z0-9_-]{40,200}/,
    catches: [`sk-ant-api03-${some(93)}AA`, `sk-ant-admin01-${some(95)}`, `sk-ant-oat01-${some(80)}`],
    spares: ['sk-ant-api03-...', `sk-ant-api03-${same(95)}`],
  }),
  token({
    id: 'google_key',
    says: 'Google keys and tokens',
    keywords: ['aiza', 'gocspx-', 'ya29.', '1//0'],
    shape: /AIza[0-9A-Za-z_-]{35}|GOCSPX-[A-Za-z0-9_-]{28}|ya29\.[0-9A-Za-z_-]{30,2000}|1\/\/0[0-9A-Za-z_-]{40,200}/,
    catches: [`AIza${some(35)}`, `GOCSPX-${some(28)}`, `ya29.${some(100)}`],
    spares: [`AIza${some(34)}`, `AIza${same(35)}`, 'ya29.example'],
  }),
  token({
    id: 'azure_key',
    says: 'Azure keys and client secrets',
    keywords: ['accountkey=', 'sharedaccesskey=', 'q~', 'sig=', 'azdo'],
    back: 80,
    shape:
      /AccountKey=[A-Za-z0-9+/]{86}==|SharedAccessKey=[A-Za-z0-9+/]{42,43}=|[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.-]{31,34}|sig=(?:[A-Za-z0-9]|%[0-9A-Fa-f]{2}|[+/]){43,80}(?:%3[Dd]|=)|[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}/,
    catches: [
      `AccountName=a;AccountKey=${some(86)}==;EndpointSuffix=core.windows.net`,
      `SharedAccessKeyName=Root;SharedAccessKey=${some(43)}=`,
      `abc8Q~${some(34)}`,
      `?sv=2024-11-04&sig=${some(43)}%3D`,
      `${some(76)}AZDO${some(4)}`,
    ],
    spares: ['AccountKey=your-key==', `AccountKey=${same(86)}==`, '?sig=short', `q~${some(34)}`],
  }),
  token({
    id: 'npm_token',
    says: 'npm tokens',
    keywords: ['npm_'],
    shape: /npm_[A-Za-z0-9]{36}/,
    catches: [`npm_${some(36)}`, `//registry.npmjs.org/:_authToken=npm_${some(30)}${tokenChecksum(some(30))}`],
    spares: [`npm_${some(35)}`, 'npm_config_registry', `npm_${same(36)}`],
  }),
  token({
    id: 'pypi_token',
    says: 'PyPI tokens',
    keywords: ['pypi-age'],
    shape: /pypi-AgE[A-Za-z0-9_-]{50,500}/,
    catches: [`pypi-AgEIcHlwaS5vcmc${some(80)}`],
    spares: ['pypi-AgEIcHlwaS5vcmc', 'pypi-aged'],
  }),
  detector('twilio_key', {
    says: 'Twilio key ids',
    class: 'prefix',
    severity: 'critical',
    // Not by a keyword: every "ask" and "task" has these two letters.
    finds: [tokens(upTo(2, 8), upTo(1, 32), /SK[0-9a-f]{32}/, isSecretLooking, { first: 'S' })],
    catches: [`SK${hex(32)}`],
    spares: [`sk${hex(32)}`, `SK${hex(31)}`, `SK${hex(33)}`, 'TASK', `SK${'0'.repeat(32)}`],
  }),
  token({
    id: 'sendgrid_key',
    says: 'SendGrid keys',
    keywords: ['sg.'],
    shape: /SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}/,
    catches: [`SG.${some(22)}.${some(43)}`],
    spares: ['SG.example', `SG.${some(22)}.${some(42)}`, `msg.${some(22)}.${some(43)}`],
  }),
  token({
    id: 'mail_service_key',
    says: 'Mailgun, Mailchimp and Brevo keys',
    keywords: ['key-', '-us', 'xkeysib-'],
    back: 32,
    shape: /key-[0-9a-f]{32}|[0-9a-f]{32}-us\d{1,2}|xkeysib-[0-9a-f]{64}-[A-Za-z0-9]{16}/,
    catches: [`key-${hex(32)}`, `${hex(32)}-us12`, `xkeysib-${hex(64)}-${some(16)}`],
    spares: ['key-value', `key-${'0'.repeat(32)}`, 'en-us12'],
  }),
  token({
    id: 'cloud_token',
    says: 'tokens of cloud services (DigitalOcean, Databricks, Heroku, Cloudflare, Fly, Terraform, Vault, Pulumi, Doppler, PlanetScale, Supabase)',
    keywords: [
      'dop_v1_',
      'doo_v1_',
      'dor_v1_',
      'dapi',
      'hrku-',
      '.atlasv1.',
      'hvs.',
      'hvb.',
      'hvr.',
      'pul-',
      'dp.pt.',
      'dp.st.',
      'dp.ct.',
      'dp.sa.',
      'pscale_',
      'sbp_',
      'fo1_',
      'v1.0-',
    ],
    back: 14,
    shape:
      /do[opr]_v1_[a-f0-9]{64}|dapi[a-f0-9]{32}(?:-\d)?|HRKU-[A-Za-z0-9_-]{36,80}|[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,80}|hv[sbr]\.[A-Za-z0-9_-]{24,300}|pul-[a-f0-9]{40}|dp\.(?:pt|ct|sa)\.[A-Za-z0-9]{40,44}|dp\.st\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}|pscale_(?:tkn|pw|oauth)_[A-Za-z0-9_=.-]{32,64}|sbp_[a-f0-9]{40}|fo1_[A-Za-z0-9_-]{43}|v1\.0-[a-f0-9]{24}-[a-f0-9]{146}/,
    catches: [
      `dop_v1_${hex(64)}`,
      `dapi${hex(32)}`,
      `${some(14)}.atlasv1.${some(67)}`,
      `hvs.${some(90)}`,
      `sbp_${hex(40)}`,
      `dp.pt.${some(43)}`,
    ],
    spares: ['dapi', `dapi${hex(31)}`, 'v1.0-beta', 'hvs.example'],
  }),
  token({
    id: 'model_service_key',
    says: 'keys of model services (Hugging Face, Groq, xAI, Perplexity, Replicate)',
    keywords: ['hf_', 'gsk_', 'xai-', 'pplx-', 'r8_'],
    shape: /hf_[A-Za-z]{34}|gsk_[A-Za-z0-9]{52}|xai-[A-Za-z0-9]{80}|pplx-[A-Za-z0-9]{48,56}|r8_[A-Za-z0-9]{37}/,
    catches: [put('hf_', 'QzRkVnXwLcHbTjJdFsGmPaYuEoRiKbNvCx'), `gsk_${some(52)}`, `xai-${some(80)}`, `r8_${some(37)}`],
    spares: ['hf_transfer', `hf_${same(34)}`, 'gsk_key'],
  }),
  token({
    id: 'work_service_token',
    says: 'tokens of work services (Atlassian, Linear, Notion, Airtable, Grafana, New Relic, Sentry, Postman, Shopify, Square, Docker, RubyGems)',
    keywords: [
      'atatt3',
      'atctt3',
      'lin_api_',
      'ntn_',
      'secret_',
      'pat',
      'glsa_',
      'glc_',
      'nrak-',
      'sntrys_',
      'sntryu_',
      'pmak-',
      'shpat_',
      'shpca_',
      'shppa_',
      'shpss_',
      'sq0atp-',
      'sq0csp-',
      'dckr_pat_',
      'dckr_oat_',
      'rubygems_',
      'dt0c01.',
      'figd_',
      'napi_',
    ],
    shape:
      /AT[AC]TT3[A-Za-z0-9_=-]{50,300}|lin_api_[A-Za-z0-9]{40}|ntn_[A-Za-z0-9]{40,60}|secret_[A-Za-z0-9]{43}|pat[A-Za-z0-9]{14}\.[a-f0-9]{64}|glsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}|glc_[A-Za-z0-9+/]{32,400}={0,2}|NRAK-[A-Z0-9]{27}|sntrys_[A-Za-z0-9+/=_]{60,400}|sntryu_[a-f0-9]{64}|PMAK-[a-f0-9]{24}-[a-f0-9]{34}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|sq0(?:atp-[A-Za-z0-9_-]{22}|csp-[A-Za-z0-9_-]{43})|dckr_[po]at_[A-Za-z0-9_-]{27,60}|rubygems_[a-f0-9]{48}|dt0c01\.[A-Z0-9]{24}\.[A-Z0-9]{64}|figd_[A-Za-z0-9_-]{40,60}|napi_[a-z0-9]{64}/,
    catches: [
      `ATATT3xFfGF0${some(170)}`,
      `lin_api_${some(40)}`,
      `ntn_${some(46)}`,
      `glsa_${some(32)}_${hex(8)}`,
      `shpat_${hex(32)}`,
      `dckr_pat_${some(27)}`,
      `pat${some(14)}.${hex(64)}`,
    ],
    spares: ['patent', 'secret_key', `shpat_${hex(31)}`, `lin_api_${same(40)}`, 'path/to/file'],
  }),
  token({
    id: 'chat_bot_token',
    says: 'tokens of Telegram and Discord bots and webhooks',
    keywords: [':aa', 'discord.com/api/webhooks/', 'discordapp.com/api/webhooks/'],
    back: 10,
    shape: /\d{8,10}:AA[A-Za-z0-9_-]{33}|discord(?:app)?\.com\/api\/webhooks\/\d{17,20}\/[A-Za-z0-9_-]{60,72}/,
    catches: [`${digits(10)}:AA${some(33)}`, `https://discord.com/api/webhooks/${digits(18)}/${some(68)}`],
    spares: ['00:AA:BB:CC:DD:EE', `${digits(7)}:AA${some(33)}`],
  }),
  token({
    id: 'encryption_identity',
    says: 'secret keys of age, 1Password and Tailscale',
    keywords: ['age-secret-key-', 'a3-', 'ops_eyj', 'tskey-'],
    shape:
      /AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}|A3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}|ops_eyJ[A-Za-z0-9_+/=-]{200,2000}|tskey-(?:auth|api|client)-[A-Za-z0-9]{8,40}-[A-Za-z0-9]{16,60}/,
    catches: [
      `AGE-SECRET-KEY-1${'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L'.repeat(2).slice(0, 58)}`,
      `tskey-auth-${some(12)}-${some(32)}`,
    ],
    spares: ['AGE-SECRET-KEY-1', 'A3-size', 'tskey-auth-x'],
  }),
];
