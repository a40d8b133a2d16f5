import { Refusal } from '@gatehouse/client/call.ts';
import { readMe } from '@gatehouse/client/identity.ts';
import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  Outlet,
  redirect,
  useLoaderData,
  useParams,
  type AnyRoute,
} from '@tanstack/react-router';
import { useEffect } from 'react';
import { askWith } from './kit/ask.ts';
import { readSearch, writeSearch } from './kit/address.ts';
import { hereOf } from './kit/here.ts';
import { HereProvider, useHere } from './kit/org.tsx';
import { askRowsWith } from './kit/rows.ts';
import { NotHere, PageFailed } from './shell/failed.tsx';
import { Shell } from './shell/shell.tsx';
import type { PageEntry, PageModule } from './pages/page.ts';
import { allPages, navPages, roomNames } from './pages/rooms.ts';

declare module '@tanstack/react-router' {
  interface StaticDataRouteOption {
    alone?: boolean;
  }
}

type Context = { queries: QueryClient };

const root = createRootRouteWithContext<Context>()({ component: Outlet, notFoundComponent: NotHere });

/** No organization in the address: into the first one that the person is in. */
const door = createRoute({
  getParentRoute: () => root,
  path: '/',
  loader: async ({ context }) => {
    const { orgs } = await askWith(context.queries)(readMe, {});
    const [first] = orgs;
    if (first) throw redirect({ href: `/${first.id}`, replace: true } as never);
    throw new Refusal(404, {
      code: 'client/no-org',
      says: 'no organization has given you access yet',
      fix: 'ask whoever manages people there',
    });
  },
});

const org = createRoute({
  getParentRoute: () => root,
  path: '/$org',
  loader: ({ context, params }) => hereOf(askWith(context.queries), params.org),
  component: function InOrg() {
    const here = useLoaderData({ from: '/$org' });
    return (
      <HereProvider here={here}>
        <Shell>
          <Outlet />
        </Shell>
      </HereProvider>
    );
  },
});

/** The organization itself: its first page that this person may see. */
const orgDoor = createRoute({
  getParentRoute: () => org,
  path: '/',
  loader: async ({ context, params }) => {
    const here = await hereOf(askWith(context.queries), params.org);
    for (const room of roomNames) {
      const [first] = navPages(room, here.may);
      if (first) throw redirect({ href: `/${params.org}/${first.at}`, replace: true } as never);
    }
  },
});

const routeOf = (p: PageEntry): AnyRoute => {
  const route = createRoute({
    getParentRoute: () => org,
    path: p.at,
    staticData: { alone: p.alone ?? false },
    validateSearch: (search: Record<string, unknown>) => search as Record<string, string>,
    loaderDeps: ({ search }) => search,
    loader: async ({ context, params, deps }): Promise<PageModule> => {
      const given = params as unknown as Record<string, string>;
      const { queries } = context;
      const page = await p.load();
      await page.loader?.({
        org: given['org'] ?? '',
        params: given,
        search: deps,
        ask: askWith(queries),
        askRows: askRowsWith(queries),
      });
      return page;
    },
    component: function OnPage() {
      const { Page } = route.useLoaderData() as PageModule;
      const { orgName } = useHere();
      // A page of other parameters is another page: nothing of what was typed for one is sent for the other.
      const params: Record<string, string> = useParams({ strict: false });
      useEffect(() => {
        document.title = `${p.title} · ${orgName} · Gatehouse`;
      }, [orgName]);
      return <Page key={JSON.stringify(params)} />;
    },
  });
  return route as AnyRoute;
};

/** The portal's router. What people see in the address is what the server has: nothing after a `#`. */
export function makeRouter(queries: QueryClient) {
  return createRouter({
    routeTree: root.addChildren([door, org.addChildren([orgDoor, ...allPages.map(routeOf)])]),
    basepath: '/portal',
    context: { queries },
    parseSearch: readSearch,
    stringifySearch: writeSearch,
    defaultPreload: 'intent',
    defaultPreloadStaleTime: 0,
    defaultErrorComponent: PageFailed,
    defaultNotFoundComponent: NotHere,
    scrollRestoration: true,
  });
}
