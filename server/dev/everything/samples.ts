/** One red pixel. */
export const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC';

/** An empty recording: a RIFF header of one 8 kHz channel and no samples. */
export const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=';

export const text = (t: string) => ({ type: 'text' as const, text: t });
export const answer = (t: string) => ({ content: [text(t)] });
export const image = { type: 'image' as const, data: PNG, mimeType: 'image/png' };
