/** Limits have a name, a unit and a reason. */
export const KiB = 1024;
export const MiB = 1024 * KiB;

/** Largest body of an admin or SCIM request; a group of 20,000 members replaced at once fits (RFC 7644 §3.14 lets us answer 413 above). */
export const MAX_BODY_BYTES = 1 * MiB;
/** Largest MCP message we take from a client: a document of a few hundred pages as an argument. Above it a connector should take a link. */
export const MAX_MCP_REQUEST_BYTES = 4 * MiB;
/** Largest tool result that we pass on. */
export const MAX_MCP_RESULT_BYTES = 16 * MiB;
/** Rows of one page of any list. */
export const MAX_PAGE = 200;
