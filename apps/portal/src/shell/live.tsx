/** Replaced by the stream of changes when the server tells of them. */
export const Live = () => null;
