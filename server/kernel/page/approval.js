// One approval: opens Approve when the end of the call has been on screen, shows the time that is left, and asks the browser for a passkey where
// the rule wants one. Without this script the page still shows all of it, and Deny still works.
(() => {
  const approve = document.getElementById('approve');
  const hint = document.getElementById('hint');
  const said = document.getElementById('said');
  const clock = document.querySelector('[data-until]');

  const two = (n) => String(n).padStart(2, '0');
  const tick = () => {
    const left = Math.max(0, Math.floor((Date.parse(clock.dataset.until) - Date.now()) / 1000));
    clock.textContent =
      left >= 3600
        ? `${Math.floor(left / 3600)}:${two(Math.floor(left / 60) % 60)}:${two(left % 60)}`
        : `${Math.floor(left / 60)}:${two(left % 60)}`;
    if (left === 0) location.reload();
    else setTimeout(tick, 1000);
  };
  if (clock) tick();
  if (!approve) return;

  const open = () => {
    approve.removeAttribute('aria-disabled');
    hint.textContent = 'You have seen all of it.';
  };
  const ask = async (path, body) => {
    const how = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const answer = await fetch(path, body && how);
    const value = await answer.json();
    if (!answer.ok) throw new Error([value.detail, value.fix].filter(Boolean).join('. '));
    return value;
  };
  new IntersectionObserver((seen, self) => {
    if (!seen.some((s) => s.isIntersecting)) return;
    self.disconnect();
    setTimeout(open, 1000);
  }).observe(document.getElementById('end'));

  const decide = async (e) => {
    if (approve.getAttribute('aria-disabled') === 'true') return e.preventDefault();
    const { begin, finish, hash } = approve.dataset;
    if (begin === undefined) return;
    e.preventDefault();
    approve.setAttribute('aria-disabled', 'true');
    said.textContent = '';
    try {
      const optionsJSON = await ask(begin);
      const proof = await window.SimpleWebAuthnBrowser.startAuthentication({ optionsJSON });
      await ask(finish, { verdict: 'approved', hash, proof });
      location.reload();
    } catch (x) {
      said.textContent =
        x.name === 'NotAllowedError' ? 'Nothing was signed: it was cancelled, or took too long.' : x.message;
      approve.removeAttribute('aria-disabled');
    }
  };
  approve.addEventListener('click', (e) => void decide(e));
})();
