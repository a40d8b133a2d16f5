import react from '@vitejs/plugin-react';
import type { InlineConfig } from 'vite';

/** The server writes the page itself (with a nonce), so the build is a manifest and files with their hash in the name. */
export const config: InlineConfig = {
  root: import.meta.dirname,
  base: '/portal/',
  configFile: false,
  publicDir: false,
  logLevel: 'warn',
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    manifest: true,
    target: 'es2024',
    modulePreload: { polyfill: false },
    // The policy of the page allows fonts and images of our own origin, and nothing inline.
    assetsInlineLimit: 0,
    rolldownOptions: { input: 'src/main.tsx' },
  },
};
