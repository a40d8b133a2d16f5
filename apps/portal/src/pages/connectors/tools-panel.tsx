import { TextInput } from '@mantine/core';
import { State, Tag } from '@gatehouse/ui/parts.tsx';
import { Go } from '../../kit/go.tsx';
import { Seen } from '../../kit/seen.tsx';
import { useAddress } from '../../kit/address.ts';
import { At } from '../../kit/time.tsx';
import { countOf } from '../../kit/words.ts';
import c from './connectors.module.css';
import { INSTRUCTIONS, sheetAddress, toolState, type Connector, type Tool } from './words.ts';

const defaults = { find: '' };

/** Every tool that was ever seen of a connector, and how it stands. */
export function ToolsPanel({ of, tools }: { of: Connector; tools: readonly Tool[] }) {
  const [{ find }, set] = useAddress(defaults);
  const shown = tools.filter((t) => t.name.toLowerCase().includes(find.toLowerCase()));
  if (tools.length === 0)
    return (
      <div className="gh-empty">
        <p>
          {of.name} has offered no tools yet. {of.mode === 'remote' ? 'Ask for its tools, above.' : ''}
        </p>
      </div>
    );
  return (
    <div className={c.stack}>
      <div className="gh-line gh-wrap">
        <TextInput
          aria-label="Search tools"
          placeholder="Search tools"
          value={find}
          onChange={(e) => set({ find: e.currentTarget.value })}
        />
        <span className="gh-grow" />
        <span className="gh-xs gh-3">{countOf(shown.length, 'tool')}</span>
      </div>
      <div className="gh-scroll">
        <table className="gh-table">
          <thead>
            <tr>
              <th>Tool</th>
              <th>Class</th>
              <th>State</th>
              <th>Found</th>
              <th>As it is since, UTC</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((t) => {
              const s = toolState(t);
              return (
                <tr key={t.name}>
                  <td>
                    <Go at={sheetAddress(of.id, t.name === INSTRUCTIONS ? null : t.name)} className="gh-mono">
                      <Seen>{t.name}</Seen>
                    </Go>
                  </td>
                  <td>{t.class ? <Tag>{t.class}</Tag> : <span className="gh-3">not said</span>}</td>
                  <td>
                    <State is={s.is} quiet={s.is !== 'held'}>
                      {s.word}
                    </State>
                  </td>
                  <td>
                    {t.findings.length === 0 ? (
                      <span className="gh-3">nothing</span>
                    ) : (
                      countOf(t.findings.length, 'finding')
                    )}
                  </td>
                  <td>
                    <At at={t.since} />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </div>
  );
}
