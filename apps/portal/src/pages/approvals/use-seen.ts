import { useEffect, useRef, useState, type RefObject } from 'react';

/** How long the end must have been there: scrolling past is not looking. */
const LOOK_MS = 1000;

/** Whether the end of what is decided on has been on screen; approve opens then, deny never waits. */
export function useSeen(): [boolean, RefObject<HTMLDivElement | null>] {
  const end = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (!end.current) return undefined;
    let open: ReturnType<typeof setTimeout> | undefined;
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some((e) => e.isIntersecting)) return;
      observer.disconnect();
      open = setTimeout(() => setSeen(true), LOOK_MS);
    });
    observer.observe(end.current);
    return () => {
      observer.disconnect();
      clearTimeout(open);
    };
  }, []);
  return [seen, end];
}
