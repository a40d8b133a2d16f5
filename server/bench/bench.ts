// `npm run bench -- <name>`: runs one measurement. Each prints its figures beside a peer or a floor that was measured in the same run.
const names = ['gateway', 'audit', 'dlp', 'policy', 'portal', 'saml', 'scim', 'vault'] as const;
const name = names.find((n) => n === process.argv[2]);
if (!name) {
  console.error(`npm run bench -- ${names.join(' | ')}`);
  process.exitCode = 2;
} else {
  process.argv.splice(2, 1);
  await import(`./${name}.ts`);
}
