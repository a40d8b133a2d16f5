import { scale, tokens } from './tokens.ts';

const variables = (of: Record<string, string>, pad: string): string =>
  Object.entries(of)
    .map(([name, value]) => `${pad}--gh-${name}: ${value};`)
    .join('\n');

/** The tokens as CSS, for pages without script: light by default, dark by preference or by `data-theme`. */
export const tokensCss = (): string => `/* Written by \`npm run gen\` from the tokens of packages/ui. Do not edit. */
:root {
${variables(scale, '  ')}
${variables(tokens.light, '  ')}
}
@media (prefers-color-scheme: dark) {
  :root:not([data-theme='light']) {
    color-scheme: dark;
${variables(tokens.dark, '    ')}
  }
}
:root[data-theme='dark'] {
${variables(tokens.dark, '  ')}
}
`;
