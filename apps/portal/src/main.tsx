import './styles.ts';
import { MantineProvider } from '@mantine/core';
import { cssVariables, theme } from '@gatehouse/ui/theme.ts';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { setNonce } from 'get-nonce';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { makeQueries } from './kit/ask.ts';
import { makeRouter } from './router.tsx';

// The server writes the nonce into the page; Mantine and react-remove-scroll put it on the few style elements that they make.
const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? '';
if (nonce !== '') setNonce(nonce);
const queries = makeQueries();
const root = document.querySelector('#root');
if (!root) throw new TypeError('the page has no root');
createRoot(root).render(
  <StrictMode>
    <MantineProvider
      getStyleNonce={() => nonce}
      theme={theme}
      cssVariablesResolver={cssVariables}
      defaultColorScheme="auto"
    >
      <QueryClientProvider client={queries}>
        <RouterProvider router={makeRouter(queries)} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
