// The passkey pages: asks the server for what to sign, the browser for the signature, and hands it back. Refusals are shown in the server's words.
(() => {
  const button = document.getElementById('passkey');
  const said = document.getElementById('said');
  const { begin, finish, does, next } = button.dataset;

  // The number is what whoever manages sign-in finds this attempt by.
  const inWords = ({ detail, fix, trace }) =>
    [detail, fix, trace && `The number of this attempt is ${trace}`].filter(Boolean).join('. ');

  const post = async (path, body) => {
    const answer = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    const value = answer.status === 204 ? undefined : await answer.json();
    if (!answer.ok) throw new Error(inWords(value));
    return value;
  };

  const go = async () => {
    button.disabled = true;
    said.textContent = '';
    try {
      const optionsJSON = await post(begin, {});
      const { startAuthentication, startRegistration } = window.SimpleWebAuthnBrowser;
      if (does === 'sign_in') await post(finish, { answer: await startAuthentication({ optionsJSON }) });
      else {
        const name = document.getElementById('name').value;
        await post(finish, { name, answer: await startRegistration({ optionsJSON }) });
      }
      location.assign(next);
    } catch (e) {
      said.textContent =
        e.name === 'NotAllowedError' ? 'Nothing was signed: it was cancelled, or took too long.' : e.message;
      button.disabled = false;
    }
  };
  button.addEventListener('click', () => void go());
})();
