// Longer than 300 lines once formatted: one list.
/**
 * The 52 attacks that a gateway for MCP must stand, as its research numbers them, and for each the tests that prove that this one does: a file and
 * the name of a test as it is written there. What belongs to a part that is not built says so instead; that list only shrinks.
 */
export type Threat = { case: number; threat: string } & (
  | { proofs: readonly (readonly [file: string, test: string])[] }
  | { notOurs: string }
);

export const threats: readonly Threat[] = [
  {
    case: 1,
    threat: 'A page whose name or origin is foreign does not reach a connector',
    proofs: [
      ['gateway/bad-input.test.ts', '${what} is refused with ${status} ${code}, and nothing goes upstream'],
      ['gateway/threats.test.ts', 'a request with ${what} is refused with ${status} before anything is looked at'],
    ],
  },
  {
    case: 2,
    threat: 'A token that is not for this place, of this server, of this kind or of this time',
    proofs: [
      ['authorization/verify-access-token.test.ts', 'a token ${what} is refused as ${code}'],
      ['gateway/bad-input.test.ts', '${what} is answered with 401 ${code} and the way to a token'],
    ],
  },
  {
    case: 3,
    threat: 'Garbage as a credential is never nobody',
    proofs: [
      ['gateway/bad-input.test.ts', '${what} is answered with 401 ${code} and the way to a token'],
      ['gateway/bad-input.test.ts', 'another scheme than Bearer is refused and never taken for nobody'],
      ['gateway/bad-input.test.ts', 'two credentials are refused'],
    ],
  },
  {
    case: 4,
    threat: "The client's credential goes to no connector, log, event or error",
    proofs: [
      [
        'gateway/hostile-upstream.test.ts',
        'what the client sent arrives upstream byte for byte, with the connector\\u2019s credential and without the client\\u2019s, its cookies and unknown headers',
      ],
      ['gateway/bad-input.test.ts', 'no line of the log holds a token, a body or a credential'],
      ['dev/story-by-clients.test.ts', 'never had its token sent on'],
    ],
  },
  {
    case: 5,
    threat: "The connector's credential is in no answer, error, log or trace",
    proofs: [
      [
        'connectors/add-connector.test.ts',
        'a bearer token goes to the upstream and to nobody else: not into an answer, the log or the database',
      ],
      ['vault/vault.test.ts', 'no token, refresh token or client secret is in the log, whatever goes wrong'],
      ['kernel/secret.test.ts', 'a secret does not show in ${where}'],
    ],
  },
  {
    case: 6,
    threat: "What one person was given is never another's",
    proofs: [
      [
        'gateway/access-ends.test.ts',
        '1,000 interleaved calls of two people with the same ids each get their own answer',
      ],
      [
        'gateway/hostile-upstream.test.ts',
        'a list leaves every byte of what it keeps, and marks itself as one person\\u2019s',
      ],
      [
        'gateway/aggregate/aggregate.test.ts',
        'a list says that it is this person’s alone, and a connector more renames nothing',
      ],
      [
        'gateway/many-askers.test.ts',
        'a session of another person is 404 on every node, in front of each server and of all',
      ],
    ],
  },
  {
    case: 7,
    threat: 'A session id of another, altered, expired or made up',
    proofs: [
      [
        'gateway/access-ends.test.ts',
        'a session id is worth nothing to another person, on another connector, altered or made up, and the upstream\\u2019s own id never leaves',
      ],
      [
        'gateway/session-id.test.ts',
        'a session id opens for its member and connector until it expires, on any node with the same root key',
      ],
      ['gateway/session-id.test.ts', 'no other spelling of a session id opens'],
    ],
  },
  {
    case: 8,
    threat: 'The state of a held call with another person, tool or argument, late or twice',
    proofs: [
      [
        'gateway/hold.test.ts',
        'an approved call that comes again with ${what} does not run (${reason}), and the approval is still there for the call that it was given to',
      ],
      [
        'gateway/hold.test.ts',
        'an approval pays once: the same state again is refused as used, also where both come at the same moment',
      ],
      [
        'gateway/hold.test.ts',
        'an approval that was not used in time is too late, and a request that nobody decided is over: two answers, and neither is a denial',
      ],
    ],
  },
  {
    case: 9,
    threat: "Another's subscription or task",
    proofs: [
      [
        'gateway/threats.test.ts',
        'who listens at one connector is told of a rule of ours after the acknowledgement, under its own subscription, and of nothing that it did not ask for',
      ],
      [
        'gateway/access-ends.test.ts',
        'a session id is worth nothing to another person, on another connector, altered or made up, and the upstream\\u2019s own id never leaves',
      ],
      [
        'gateway/many-askers.test.ts',
        'a session of another person is 404 on every node, in front of each server and of all',
      ],
    ],
  },
  {
    case: 10,
    threat: 'Headers that say something else than the body',
    proofs: [
      ['gateway/bad-input.test.ts', '${what} is refused with ${status} ${code}, and nothing goes upstream'],
      ['gateway/bad-input.test.ts', 'the same header twice is a mismatch, also where both say what the body says'],
      ['gateway/threats.test.ts', 'a header that ${what} than the body is gateway/header-mismatch'],
    ],
  },
  {
    case: 11,
    threat: 'JSON that two readers read differently',
    proofs: [
      ['gateway/bad-input.test.ts', '${what} is refused with ${status} ${code}, and nothing goes upstream'],
      ['kernel/json.test.ts', '__proto__ arrives as an ordinary key and changes no prototype'],
      ['kernel/json.test.ts', 'no bytes whatever do anything but parse or be refused'],
      [
        'gateway/hostile-upstream.test.ts',
        'an upstream that ${what} fails the call as ${why}, once, and the agent is told what to do',
      ],
    ],
  },
  {
    case: 12,
    threat: 'Several messages in one body',
    proofs: [['gateway/bad-input.test.ts', '${what} is refused with ${status} ${code}, and nothing goes upstream']],
  },
  {
    case: 13,
    threat: 'HTTP that two servers cut differently',
    proofs: [
      ['gateway/threats.test.ts', 'a request with ${what} is refused as HTTP, and nothing goes upstream'],
      [
        'gateway/threats.test.ts',
        'what follows a message on its connection is a request of its own, with a credential of its own',
      ],
    ],
  },
  {
    case: 14,
    threat: 'Floods, drips and bombs of either side',
    proofs: [
      ['gateway/bad-input.test.ts', '${what} is refused with ${status} ${code}, and nothing goes upstream'],
      ['gateway/bad-input.test.ts', 'a message that does not come to its end is refused in time'],
      [
        'gateway/hostile-upstream.test.ts',
        'an upstream that ${what} fails the call as ${why}, once, and the agent is told what to do',
      ],
      ['kernel/egress.test.ts', 'a ${name} bomb is cut at the cap and does not fill the memory'],
      ['kernel/egress.test.ts', 'a server that drips its body is left in time: the clock covers the whole answer'],
    ],
  },
  {
    case: 15,
    threat: 'A tool that is hidden, unknown, switched off since, or spelt otherwise',
    proofs: [
      [
        'gateway/tool-review.test.ts',
        'a call of ${JSON.stringify(name.slice(0, 20))}, which nobody reviewed under this name, is refused and in the log',
      ],
      [
        'gateway/tool-review.test.ts',
        'a tool that was listed and is then switched off, hidden or gone cannot be called any more',
      ],
    ],
  },
  {
    case: 16,
    threat: 'A hint makes nothing milder',
    proofs: [
      [
        'gateway/tool-review.test.ts',
        'a hint never makes a tool milder: what the reviewer classed as a write needs the scope of a write, whatever it says of itself',
      ],
    ],
  },
  {
    case: 17,
    threat: 'What changes after its review',
    proofs: [
      [
        'gateway/tool-review.test.ts',
        'a tool whose ${what} changes after the review is neither listed nor called, and is both again when it is as it was',
      ],
      [
        'gateway/tool-review.test.ts',
        "instructions in the answer to ${how}${streamed ? ', as a stream,' : ''} reach no client until a reviewer has accepted them, and stop when they change",
      ],
      [
        'connectors/review-tools.test.ts',
        'another spelling of the same definition is the same definition, and leaves no event',
      ],
    ],
  },
  {
    case: 18,
    threat: 'A tool that appears later',
    proofs: [
      [
        'gateway/tool-review.test.ts',
        'a tool that appears later is neither listed nor callable until somebody reviewed it',
      ],
    ],
  },
  {
    case: 19,
    threat: 'What is hidden in a definition',
    proofs: [
      ['connectors/review-tools.test.ts', 'a definition with ${what} is shown to the reviewer with a finding at ${at}'],
      [
        'connectors/review-sheet.test.ts',
        'a changed tool is shown field by field beside what was reviewed, with what is hidden in it made visible',
      ],
    ],
  },
  {
    case: 20,
    threat: 'Tools of one name',
    proofs: [
      ['gateway/tool-review.test.ts', 'two connectors with a tool of one name each answer for their own'],
      [
        'gateway/aggregate/aggregate.test.ts',
        'a list says that it is this person’s alone, and a connector more renames nothing',
      ],
    ],
  },
  {
    case: 21,
    threat: 'What outsiders wrote makes an agent carry private content out',
    proofs: [
      [
        'gateway/after-reading.test.ts',
        'an issue that tells the agent to publish a private file does not get it published: the pull request waits for a person',
      ],
      ['gateway/after-reading.test.ts', 'nobody may approve the call of his own session'],
    ],
  },
  {
    case: 22,
    threat: 'Private code into a public place',
    proofs: [
      [
        'connectors/vendors/github/case-22.test.ts',
        'case 22, as installed: what was read in private cannot be written in public, whoever says yes',
      ],
      [
        'connectors/vendors/github/case-22.test.ts',
        'case 22, where an administrator lets tools write in public: after reading both it waits for a person, and GitHub hears nothing of it',
      ],
    ],
  },
  {
    case: 23,
    threat: 'Links and pictures that carry data out',
    proofs: [
      [
        'connectors/kit/outgoing-text.test.ts',
        'no link and no picture of what goes out leads elsewhere unseen, however the signs are mixed',
      ],
      [
        'connectors/vendors/slack/slack.test.ts',
        'what is posted fetches nothing, alarms nobody and shows where its links lead',
      ],
    ],
  },
  {
    case: 24,
    threat: 'Private addresses in every spelling',
    proofs: [
      ['kernel/egress.test.ts', 'https://${host}/ is a private address that nothing allows'],
      [
        'kernel/egress.test.ts',
        'a public name that resolves to a private address is refused, and the address is told to the log only',
      ],
      ['kernel/address.test.ts', "${address || 'an empty text'} is ${what}: ${verdict}"],
      ['authorization/client-document.test.ts', 'a client id of a private address is not fetched: ${id}'],
      ['connectors/add-connector.test.ts', 'an address ${what} is refused before anything is asked: ${code}'],
    ],
  },
  {
    case: 25,
    threat: 'A name that answers otherwise the second time',
    proofs: [
      [
        'kernel/egress.test.ts',
        'a resolver that answers the second time with a private address is not asked a second time',
      ],
      ['kernel/egress.test.ts', 'a name with one public and one private address is refused'],
    ],
  },
  {
    case: 26,
    threat: 'Redirects',
    proofs: [
      ['kernel/egress.test.ts', 'a redirect is handed back and not followed, so a credential never leaves with it'],
      [
        'gateway/hostile-upstream.test.ts',
        'an upstream that ${what} fails the call as ${why}, once, and the agent is told what to do',
      ],
    ],
  },
  {
    case: 27,
    threat: 'Addresses that a vendor or a server names',
    proofs: [
      [
        'connectors/kit/vendor-client.test.ts',
        'an address that the vendor gives is followed under the connector’s origins and nowhere else',
      ],
      [
        'vault/vendor-address.test.ts',
        'the setting ${JSON.stringify(domain)} cannot lead a credential to another host',
      ],
      [
        'gateway/eras/sse.test.ts',
        'a server that wants messages posted elsewhere gets none, and no credential of ours',
      ],
    ],
  },
  {
    case: 28,
    threat: 'No way to have a process started',
    proofs: [
      [
        'walls/threats.test.ts',
        'nothing but the embedded PostgreSQL starts a process, and no operation takes a command, its arguments or its environment',
      ],
    ],
  },
  {
    case: 29,
    threat: 'A client that borrows the consent of another',
    proofs: [
      [
        'authorization/consent.test.ts',
        'the page cannot be framed, runs no script, and may send its form only to us and to the client',
      ],
      [
        'authorization/consent.test.ts',
        'a request that another browser began is not shown, not answered and not sent on',
      ],
      [
        'connectors/connect/connect.test.ts',
        'nobody goes anywhere by following a link: connecting begins with a button',
      ],
    ],
  },
  {
    case: 30,
    threat: 'Redirect addresses that only resemble the registered one',
    proofs: [
      ['authorization/authorize.test.ts', 'a redirect to ${uri} is shown to the person and never followed'],
      [
        'authorization/authorize.test.ts',
        'a native client may answer on any port of the loopback address that it registered',
      ],
    ],
  },
  {
    case: 31,
    threat: 'A code that is stolen or comes twice',
    proofs: [
      [
        'authorization/authorize.test.ts',
        'a code is worth nothing with another verifier, another redirect or another client',
      ],
      ['authorization/authorize.test.ts', 'a request with ${what} is refused and the client is told ${error}'],
      [
        'authorization/refresh.test.ts',
        'a code that is presented twice ends the tokens that it gave, and is told in the log',
      ],
    ],
  },
  {
    case: 32,
    threat: 'Refresh tokens that come twice, and renewals that race',
    proofs: [
      [
        'authorization/refresh.test.ts',
        'a refresh token presented after its grace ends the whole family and is told in the log',
      ],
      [
        'vault/vault.test.ts',
        'fifty who want a token at once on three nodes ask the vendor once (${rotation}), and all get the new one',
      ],
      ['vault/vault.test.ts', 'three processes that want a token at once ask the vendor once'],
    ],
  },
  {
    case: 33,
    threat: "A node that dies between the vendor's answer and our commit",
    proofs: [
      [
        'vault/vault.test.ts',
        "a node killed between the vendor's answer and our commit is ${rotation === 'single_use' ? 'a lost rotation, told once and never tried again' : 'healed by the next one'} (${rotation})",
      ],
    ],
  },
  {
    case: 34,
    threat: 'A sealed row in the place of another',
    proofs: [
      [
        'vault/vault.test.ts',
        'a row that was put in the place of another, given to another owner, or rolled back does not open',
      ],
      ['connectors/add-connector.test.ts', 'a sealed bearer that was copied to another connector does not open there'],
    ],
  },
  {
    case: 35,
    threat: 'An answer in the name of another issuer',
    proofs: [
      [
        'connectors/connect/connect.test.ts',
        'an answer in the name of another issuer is refused before its code is used',
      ],
      ['connectors/connect/connect.test.ts', 'a vendor that need not name itself is refused when it names another'],
      [
        'authorization/authorize.test.ts',
        'the answer to the client names the issuer (RFC 9207), also when the person says no',
      ],
    ],
  },
  {
    case: 36,
    threat: 'Assertions of identity providers that are forged, late, foreign or come twice',
    proofs: [
      ['authorization/id-jag.test.ts', 'an assertion ${what} gives no token: ${code}'],
      ['authorization/id-jag.test.ts', 'an assertion works once, however many nodes see it at the same time'],
      ['authorization/id-jag.test.ts', 'a suspended person gets no token, and one that was given before is dead'],
    ],
  },
  {
    case: 37,
    threat: 'An account that is not of this person or this company',
    proofs: [
      [
        'connectors/connect/connect.test.ts',
        'the account of ${account} is not connected by Ada, and what the vendor gave is ended there',
      ],
      [
        'connectors/connect/connect.test.ts',
        'where an administrator says so, an account may have another address, but never another tenant',
      ],
    ],
  },
  {
    case: 38,
    threat: 'An argument that says on whose behalf',
    proofs: [
      ['gateway/builtin.test.ts', 'a connected person’s call uses his own account and nobody else’s'],
      [
        'connectors/vendors/onedrive/onedrive.test.ts',
        'what speaks for a person opens their own OneDrive, whatever the arguments say',
      ],
      [
        'connectors/vendors/outlook/outlook.test.ts',
        "an app speaks in the caller's own mailbox only, whatever the arguments say, and Exchange may close that too",
      ],
    ],
  },
  {
    case: 39,
    threat: 'A leaver, on every node',
    proofs: [
      [
        'gateway/two-nodes.test.ts',
        'a person who is ${what} on one node loses token, stream, session and request for approval on the other within a second',
      ],
      [
        'gateway/access-ends.test.ts',
        'a person who is suspended loses the open stream and the call under way within a second, and the next call is refused',
      ],
      [
        'dev/story-by-clients.test.ts',
        "loses its access in the middle of a call when the person's directory says so, and gets none back",
      ],
    ],
  },
  {
    case: 40,
    threat: 'A withheld file, by every way to it',
    proofs: [
      ['connectors/vendors/github/github-paths.test.ts', 'case 40.1: .env by its path is withheld'],
      ['connectors/vendors/github/github-paths.test.ts', 'case 40.2: %2eenv, however often it is encoded, is withheld'],
      ['connectors/vendors/github/github-paths.test.ts', 'case 40.3: ./.env and every other way round is withheld'],
      [
        'connectors/vendors/github/github-paths.test.ts',
        'case 40.4: .ENV is withheld, and so is a file that really has that name',
      ],
      [
        'connectors/vendors/github/github-paths.test.ts',
        'case 40.5: a symbolic link to .env, or through a folder to one, is withheld; a link to README.md is not',
      ],
      ['connectors/vendors/github/github-paths.test.ts', 'case 40.6: the SHA of the blob is a way to nothing'],
      [
        'connectors/vendors/github/github-paths.test.ts',
        'case 40.7: a tree, whole or from a folder or by its SHA, does not show .env and says how many files were withheld',
      ],
      [
        'connectors/vendors/github/github-paths.test.ts',
        "case 40.8: no fragment of .env comes out of a search, where GitHub ${knows ? 'takes' : 'overlooks'} what is to be left out",
      ],
      [
        'connectors/vendors/github/github-paths.test.ts',
        'case 40.9: a diff of a pull request leaves out .env, what was renamed from it and what is renamed to it',
      ],
      [
        'connectors/vendors/github/github-paths.test.ts',
        'case 40.10: no tool asks for an archive, and none has an address of one in its answer',
      ],
      [
        'connectors/vendors/github/github-paths.test.ts',
        'case 40.11: a commit and its patch, and a comparison, leave out .env',
      ],
      [
        'connectors/vendors/github/github-paths.test.ts',
        'case 40.12: nothing is read at a raw address, and no argument takes one',
      ],
      [
        'connectors/vendors/github/github-paths.test.ts',
        'case 40.13: what is in a submodule is not read, whatever it is called',
      ],
      [
        'connectors/vendors/github/case-22.test.ts',
        'case 40 through the gateway: a withheld file is an answer that says so, in the log without its name',
      ],
    ],
  },
  {
    case: 41,
    threat: 'Paths that lead out of a folder, a drive or a tenant',
    proofs: [
      [
        'connectors/vendors/onedrive/onedrive.test.ts',
        'a name that OneDrive keeps for itself cannot be made: ${JSON.stringify(name)}',
      ],
      ['connectors/vendors/onedrive/onedrive.test.ts', "another tenant's drive and another person's are not there"],
    ],
  },
  {
    case: 42,
    threat: 'Queries that say more than they were given for',
    proofs: [
      ['connectors/vendors/salesforce/soql.test.ts', 'SOQL with ${what} is refused'],
      [
        'connectors/vendors/salesforce/soql.test.ts',
        'an object that a query reaches and the call does not name is refused, wherever it stands',
      ],
    ],
  },
  {
    case: 43,
    threat: 'A yes that is forged, borrowed, late, or given by who must not',
    proofs: [
      ['gateway/approval.test.ts', 'nobody says yes to a call of his own, and the first decision stands'],
      [
        'approvals/who-decides.test.ts',
        'what is for the desktop cannot be approved from a phone, says why, and can be denied there',
      ],
      ['gateway/approval.test.ts', 'a grant for one set of arguments or one person does not pay for another'],
      ['gateway/approval.test.ts', 'a request and a grant run out of time, which is not a denial'],
      [
        'gateway/hold.test.ts',
        'an approval pays once: the same state again is refused as used, also where both come at the same moment',
      ],
    ],
  },
  {
    case: 44,
    threat: 'What destroys is sent once',
    proofs: [
      [
        'gateway/threats.test.ts',
        'a call that destroys goes to a connector that ${what} once, on a connection that was used before',
      ],
      [
        'gateway/hostile-upstream.test.ts',
        'an upstream that ${what} fails the call as ${why}, once, and the agent is told what to do',
      ],
      [
        'gateway/crash.test.ts',
        "a node that is killed when a call is ${at} leaves it open, and it ends as lost once the node's lease is over, not before",
      ],
    ],
  },
  {
    case: 45,
    threat: 'One who takes everything',
    proofs: [
      [
        'gateway/limits/too-many.test.ts',
        'a person with as many calls under way as may be is refused with 429, the limit, what was found and when to come again; another is not',
      ],
      [
        'gateway/limits/too-many.test.ts',
        'while one organization floods its connector, calls of another go through, and what is beyond its limits is refused and not queued',
      ],
      [
        'gateway/call-writer.test.ts',
        'when the database stands still, new calls are refused after 5,000 wait, and those that waited are recorded when it goes on',
      ],
    ],
  },
  {
    case: 46,
    threat: 'Schemas that explode, and references to the network',
    proofs: [
      ['connectors/stricter-schema.test.ts', 'a schema with ${what} is no reviewer’s: it is refused with the reason'],
      ['gateway/tool-review.test.ts', 'a pattern that takes a backtracking engine years is judged at once'],
    ],
  },
  {
    case: 47,
    threat: 'Lines in logs, formulas in tables',
    proofs: [
      ['audit/audit.http.test.ts', 'CSV is RFC 4180 with a header, and no field begins a formula'],
      ['audit/audit.http.test.ts', 'the CSV field of ${JSON.stringify(value)} is ${JSON.stringify(field)}'],
      [
        'gateway/bad-input.test.ts',
        'a tool that does not exist is an error of the protocol, and the log has it as denied without the name that was asked for',
      ],
    ],
  },
  {
    case: 48,
    threat: 'When something of ours breaks, the answer is no',
    proofs: [
      ['gateway/call-tool.test.ts', 'when the policy engine breaks, the answer is no'],
      ['gateway/call-tool.test.ts', 'a call that cannot be opened goes no further'],
      ['gateway/hostile-upstream.test.ts', 'when the database cannot record a call, nothing is sent'],
      [
        'gateway/outside-scanner.test.ts',
        'without a verdict what writes is stopped and what reads passes, with the finding that nobody has looked',
      ],
      ['gateway/after-reading.test.ts', 'where it cannot be known what a session has read, what could go out does not'],
    ],
  },
  {
    case: 49,
    threat: 'Streams that tell too early, too much or too long',
    proofs: [
      [
        'gateway/threats.test.ts',
        'who listens at one connector is told of a rule of ours after the acknowledgement, under its own subscription, and of nothing that it did not ask for',
      ],
      [
        'gateway/threats.test.ts',
        'who may not read from a connector any more loses the stream on which he listens there',
      ],
      [
        'gateway/access-ends.test.ts',
        'a person who is suspended loses the open stream and the call under way within a second, and the next call is refused',
      ],
      [
        'gateway/aggregate/aggregate.test.ts',
        'who listens hears what a connector says and what a rule of ours changes, after the acknowledgement',
      ],
    ],
  },
  { case: 50, threat: 'Plugins that change under a name', notOurs: 'the room plugins is not built' },
  {
    case: 51,
    threat: 'A tunnel that is led elsewhere',
    proofs: [
      [
        'tunnels/agent-door.test.ts',
        'what is no destination is not asked for, and what no agent allows neither; each is told by name',
      ],
      [
        '../apps/cli/tunnel/tunnel.test.ts',
        'what its command line does not allow the agent refuses, whatever the server wants',
      ],
      [
        '../apps/cli/tunnel/tunnel.test.ts',
        'a name that resolves to a metadata or link-local address is refused, also when the name is allowed',
      ],
      [
        'tunnels/agent-door.test.ts',
        'who does not show a good secret first is told why and let go, and nothing of it is kept',
      ],
      [
        'tunnels/agent-door.test.ts',
        'no page of a browser, no other host and nothing in the address gets an agent’s connection',
      ],
      [
        '../apps/cli/tunnel/tunnel.test.ts',
        'the secret is in the first frame, and in no address, header or line that the agent writes',
      ],
      [
        'tunnels/agent-door.test.ts',
        'an agent that breaks the protocol loses its connection and its own requests; other agents’ requests go on',
      ],
      ['tunnels/agent-door.test.ts', 'a connector names a tunnel of its own organization that leads to it, or none'],
      [
        'tunnels/tunnel-nodes.test.ts',
        'two hundred calls at once over three nodes and two agents each get their own answer',
      ],
      ['tunnels/tunnel-nodes.test.ts', 'a revoked tunnel is cut off at every node, with what is under way in it'],
      ['tunnels/node-links.test.ts', 'a node that does not derive the key is nobody, and a page is no node'],
    ],
  },
  {
    case: 52,
    threat: 'Another site that acts with the cookie of its visitor',
    proofs: [
      ['authorization/consent.test.ts', "an answer from ${what} is refused even with the page's own token"],
      [
        'approvals/page/approval-pages.test.ts',
        'another site cannot post a decision with the cookie of whoever visits it',
      ],
      ['walls/strangers.test.ts', "${name} refuses a request that another site sent from the owner's browser"],
      ['kernel/html.test.ts', 'a page runs no script, loads nothing from elsewhere and cannot be framed'],
    ],
  },
];
