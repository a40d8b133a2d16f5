import { SegmentedControl } from '@mantine/core';

/** The organization's own log or its parent's. */
export const WhichLog = ({ value, onChange }: { value: string; onChange: (log: string) => void }) => (
  <SegmentedControl
    aria-label="Which log"
    value={value === 'parent' ? 'parent' : ''}
    onChange={onChange}
    data={[
      { value: '', label: 'This organization' },
      { value: 'parent', label: 'Its parent' },
    ]}
  />
);
export const logOf = (value: string): 'org' | 'parent' => (value === 'parent' ? 'parent' : 'org');
