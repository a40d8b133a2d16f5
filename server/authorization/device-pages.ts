import type { Context } from 'koa';
import type { Configuration } from 'oidc-provider';
import { html, render } from '#kernel/html.ts';

/** Puts one of our pages into the library's answer. */
export async function showPage(ctx: Pick<Context, 'status' | 'set' | 'body'>, page: Response): Promise<void> {
  const status = ctx.status >= 400 ? ctx.status : page.status;
  for (const [name, value] of page.headers) ctx.set(name, value);
  ctx.body = await page.text();
  ctx.status = status;
}

type DevicePages = Required<
  Pick<
    NonNullable<NonNullable<Configuration['features']>['deviceFlow']>,
    'userCodeInputSource' | 'userCodeConfirmSource' | 'successSource'
  >
>;

/** Only the hidden token is the library's to know; the form is ours. */
const xsrfOf = (form: string): string => /name="xsrf" value="([^"]*)"/.exec(form)?.[1] ?? '';

/** The pages of the device flow: a person types the code that another device shows. The consent page comes after them. */
export const devicePages: DevicePages = {
  userCodeInputSource: (ctx, form, _out, err) =>
    showPage(
      ctx,
      render({
        title: 'Connect a device',
        status: err ? 400 : 200,
        body: html`<h1>Which code does the device show?</h1>
          ${err && html`<p role="alert">This code is wrong, used or too old. Ask the device for a new one.</p>`}
          <p>Go on only if you began this yourself, on a device that you have before you.</p>
          <form method="post" action="/oauth/device">
            <input type="hidden" name="xsrf" value="${xsrfOf(form)}" />
            <label>Code <input type="text" name="user_code" autocomplete="off" autocapitalize="characters" required /></label>
            <div class="act"><button type="submit">Continue</button></div>
          </form>`,
      }),
    ),
  userCodeConfirmSource: (ctx, form, client, _deviceInfo, userCode) =>
    showPage(
      ctx,
      render({
        title: 'Connect a device',
        body: html`<h1>Does the device show <code>${userCode}</code>?</h1>
          <p>It says that it is “${client.clientName ?? client.clientId}”. Nobody has checked that. If you did not begin this yourself, stop here.</p>
          <form method="post" action="/oauth/device">
            <input type="hidden" name="xsrf" value="${xsrfOf(form)}" />
            <input type="hidden" name="user_code" value="${userCode}" />
            <div class="act">
              <button type="submit" name="confirm" value="yes">Yes, continue</button>
              <button type="submit" name="abort" value="yes" class="quiet">No, stop</button>
            </div>
          </form>`,
      }),
    ),
  successSource: (ctx) =>
    showPage(
      ctx,
      render({
        title: 'Device connected',
        body: html`<h1>The device is connected</h1>
          <p>You can close this page and go back to the device.</p>`,
      }),
    ),
};
