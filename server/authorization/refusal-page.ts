import { html, mark, render } from '#kernel/html.ts';

/** What the protocol calls an error, in words. `error` is one of the registered codes; the description is ours or the library's. */
const says: Record<string, string> = {
  invalid_client: 'This application is not known here',
  invalid_client_metadata: 'The application describes itself in a way that we cannot accept',
  invalid_redirect_uri: 'The application wants its answer at an address that it has not registered',
  invalid_request: 'The application asked in a way that we do not understand',
  invalid_scope: 'The application asked for something that does not exist',
  invalid_target: 'The application asked for a place that is not here',
  access_denied: 'Access was not given',
  session_not_found: 'This request has expired or was begun in another browser',
  temporarily_unavailable: 'Gatehouse cannot answer just now',
  server_error: 'Something broke on our side',
};

/** A refusal of the protocol that cannot be sent back to the application. */
export function refusalPage(out: { error: string; error_description?: string | undefined }, status = 400): Response {
  return render({
    title: 'Refused',
    status,
    body: html`${mark.refused}
      <h1>${says[out.error] ?? 'The application’s request was refused'}</h1>
      ${out.error_description !== undefined && html`<p>${out.error_description}</p>`}
      <p>Go back to the application and begin again. Nothing was given to it.</p>
      <p class="note"><code>${out.error}</code></p>`,
  });
}
