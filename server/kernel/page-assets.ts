import { readFileSync } from 'node:fs';

/** A static file that the server's own pages use. */
export type Asset = { type: string; body: string | Buffer };

const asset = (name: string): string => readFileSync(new URL(`page/${name}`, import.meta.url), 'utf8');

/** The two typefaces of the design, self-hosted; upright only, for that is all we use. Latin letters: others fall to another font, and are seen. */
const faces = ['@fontsource-variable/atkinson-hyperlegible-next', '@fontsource-variable/spline-sans-mono'];

function fonts(): { css: string; files: Record<string, Asset> } {
  const files: Record<string, Asset> = {};
  const css = faces.map((face) => {
    const sheet = new URL(import.meta.resolve(`${face}/index.css`));
    return readFileSync(sheet, 'utf8').replaceAll(/url\(\.\/files\/([\w-]+\.woff2)\)/g, (_, file: string) => {
      files[`/assets/fonts/${file}`] = { type: 'font/woff2', body: readFileSync(new URL(`files/${file}`, sheet)) };
      return `url(/assets/fonts/${file})`;
    });
  });
  return { css: css.join('\n'), files };
}

const { css, files } = fonts();

/** By path. */
export const assets: Record<string, Asset> = {
  '/assets/gatehouse.css': {
    type: 'text/css; charset=utf-8',
    body: `${css}\n${asset('tokens.css')}${asset('page.css')}`,
  },
  '/assets/approval.css': { type: 'text/css; charset=utf-8', body: asset('approval.css') },
  '/assets/approval.js': { type: 'text/javascript; charset=utf-8', body: asset('approval.js') },
  // A browser gives passkeys to scripts alone.
  '/assets/passkey.js': { type: 'text/javascript; charset=utf-8', body: asset('passkey.js') },
  '/assets/webauthn.js': {
    type: 'text/javascript; charset=utf-8',
    body: readFileSync(
      new URL('../dist/bundle/index.umd.min.js', import.meta.resolve('@simplewebauthn/browser')),
      'utf8',
    ),
  },
  '/favicon.svg': { type: 'image/svg+xml', body: asset('favicon.svg') },
  ...files,
};
