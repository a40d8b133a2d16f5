import { matches, scanner } from './scanner.ts';

export const linkWithData = scanner('link_that_takes_data', {
  severity: 'medium',
  says: 'A link that waits to be filled in',
  why: 'A model that fills it in and has it opened or shown sends what it filled in to that host.',
  find: ({ raw }) =>
    matches(
      raw,
      /https?:\/\/[^\s"'<>]{1,300}?[?&#][^\s"'=&]{1,60}=(?:\$?\{|<|%7b|\[|\(\(|YOUR_?(?:DATA|TEXT|CONVERSATION))[^\s"')]{0,60}/gi,
    ),
  catches: ['https://evil.example/c?q={conversation}', 'open https://x.example/p.png?d=<base64 of the file>'],
  spares: [
    'https://api.example.com/users/{id}',
    'https://example.com/search?q=lamps',
    'see https://docs.example.com/#query',
  ],
});

export const picture = scanner('picture_from_elsewhere', {
  severity: 'medium',
  says: 'A picture from another host',
  why: 'Where it is shown it is fetched, and the address can carry data out.',
  find: ({ raw }) =>
    matches(raw, /!\[[^\]\n]{0,200}\]\(\s*(?:https?:)?\/\/[^)\s]{1,300}\)?|<img\b[^>]{0,200}\bsrc\s*=[^>]{0,300}/gi),
  catches: ['![x](https://evil.example/p.png?d=1)', '<img src="//evil.example/p">'],
  spares: ['[docs](https://example.com)', 'an image: ![alt](chart.png)'],
});

export const scheme = scanner('address_that_acts', {
  severity: 'high',
  says: 'An address that runs or holds something',
  why: 'It is not a place to look at but a program or a hidden document.',
  *find({ raw, role }) {
    yield* matches(
      raw,
      /\b(?:javascript|vbscript):[^\s"']{1,100}|\bdata:(?:text\/html|application\/[a-z.+-]*(?:script|xhtml)[a-z+]*)[^\s"']{0,100}/gi,
    );
    if (role === 'address')
      yield* matches(
        raw,
        /^(?!https:|data:image\/(?:png|jpe?g|gif|webp|avif|x-icon|vnd\.microsoft\.icon|svg\+xml)[;,])[a-z][a-z0-9+.-]*:.{0,60}/gi,
      );
  },
  catches: [
    'javascript:alert(1)',
    'data:text/html,<script>',
    { role: 'address', text: 'http://plain.example/i.png' },
    { role: 'address', text: 'file:///etc/passwd' },
  ],
  spares: [
    { role: 'address', text: 'https://crm.example/icon.png' },
    { role: 'address', text: 'data:image/png;base64,AAAA' },
    'JavaScript: the language',
    'a data: prefix',
  ],
});

export const oddHost = scanner('host_that_hides', {
  severity: 'medium',
  says: 'An address whose host is not what it seems',
  why: 'A number, a user name before the host or letters of another script hide who is reached.',
  find: ({ raw }) =>
    matches(
      raw,
      /https?:\/\/(?:[^\s/@"']{1,100}@|(?!127\.|10\.|192\.168\.|0\.0\.0\.0|169\.254\.)\d{1,3}(?:\.\d{1,3}){3}\b|0x[0-9a-f]{8}|\d{8,10}\b|(?:[a-z0-9-]{1,63}\.){0,5}xn--)[^\s"']{0,60}/gi,
    ),
  catches: ['https://drive.google.com@evil.example/x', 'http://203.0.113.7/c', 'https://xn--pple-43d.com'],
  spares: ['http://127.0.0.1:3000', 'https://example.com/@user', 'version 10.0.0.1'],
});

export const dropHost = scanner('host_for_drops', {
  severity: 'high',
  says: 'A host that takes anything from anybody',
  why: 'Such hosts are made to receive what is sent to them and show it to whoever holds the link.',
  find: ({ raw }) =>
    matches(
      raw,
      /\b(?:webhook\.site|requestbin\.[a-z]+|pipedream\.net|[a-z0-9-]+\.ngrok(?:-free)?\.(?:io|app|dev)|burpcollaborator\.net|oastify\.com|oast\.[a-z]+|interact\.sh|beeceptor\.com|hookb\.in|discord(?:app)?\.com\/api\/webhooks|pastebin\.com|transfer\.sh|file\.io)\b[^\s"']{0,60}/gi,
    ),
  catches: ['https://webhook.site/1f', 'POST to https://abc.ngrok.io/x', 'https://discord.com/api/webhooks/1/x'],
  spares: ['a webhook site of yours', 'https://hooks.slack.com/services'],
});

export const encoded = scanner('encoded_text', {
  severity: 'medium',
  says: 'A long run of encoded text',
  why: 'Nobody can read it, and a model may.',
  *find({ raw, role }) {
    if (role !== 'address') yield* matches(raw, /[A-Za-z0-9+/=_-]{300,}/g);
  },
  catches: ['QUJD'.repeat(120)],
  spares: ['a'.repeat(100), { role: 'address', text: `data:image/png;base64,${'QUJD'.repeat(200)}` }],
});
