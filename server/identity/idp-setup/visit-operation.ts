import { z } from 'zod';
import type { Ctx } from '#kernel/ctx.ts';
import { page, type Operation } from '#kernel/operation.ts';
import { Problem, type Kind } from '#kernel/problem.ts';
import type { Task } from './link.ts';
import { openIdpSetupLink, type Visit } from './open-idp-setup-link.ts';

/** What every path of a set-up link has. */
export const Token = z.object({ token: z.string().max(100) });
const Fields = z.record(z.string().max(100), z.string());

/** Refusals that whoever filled in a form can do something about: the form is shown again with them. */
const toldInTheForm: readonly Kind[] = ['invalid', 'conflict', 'upstream', 'too_many', 'stale', 'unavailable'];

export const goTo = (where: string): Response =>
  new Response(null, { status: 303, headers: { location: where, 'cache-control': 'no-store' } });

/** A form of a visit: what it does, where below the link success leads, and the page that shows it again with what went wrong. */
export const visitForm = <P extends { token: string }>(spec: {
  id: string;
  at: `POST /${string}`;
  says: string;
  task: Task | undefined;
  params: z.ZodType<P>;
  work(v: Visit, fields: Record<string, string>, params: P): Promise<Response | string>;
  again(v: Visit, problem: Problem, fields: Record<string, string>): Promise<Response>;
}): Operation =>
  page({
    id: spec.id,
    at: spec.at,
    can: 'public',
    says: spec.says,
    params: spec.params,
    body: Fields,
    accepts: ['application/x-www-form-urlencoded'],
    async handle(anybody: Ctx, { params, body }) {
      const visit = await openIdpSetupLink(anybody, params.token, spec.task);
      try {
        const done = await spec.work(visit, body, params);
        return typeof done === 'string' ? goTo(`/idp-setup/${params.token}${done}`) : done;
      } catch (e) {
        if (!(e instanceof Problem) || !toldInTheForm.includes(e.kind)) throw e;
        const { log, request } = visit.ctx;
        log.info({ request, link: visit.link.id, problem: e.code }, 'a form of a set-up link was refused');
        return await spec.again(await openIdpSetupLink(anybody, params.token, spec.task), e, body);
      }
    },
  });

/** A page of a visit. */
export const visitShow = (spec: {
  id: string;
  at: `GET /${string}`;
  says: string;
  task: Task | undefined;
  shown(v: Visit, query: Record<string, unknown>): Promise<Response>;
}): Operation =>
  page({
    id: spec.id,
    at: spec.at,
    can: 'public',
    says: spec.says,
    params: Token,
    handle: async (anybody, { params, query }) =>
      spec.shown(await openIdpSetupLink(anybody, params.token, spec.task), query),
  });
