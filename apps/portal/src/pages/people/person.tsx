import c from './people.module.css';

/** A person in a list: the name first, the address under it. Addresses break after the @ only. */
export const Person = ({ name, email }: { name: string; email: string }) => (
  <span className={c.person}>
    <b>{name || email}</b>
    <small>
      <Address of={email} />
    </small>
  </span>
);

export const Address = ({ of }: { of: string }) => {
  const at = of.lastIndexOf('@') + 1;
  return (
    <>
      {of.slice(0, at)}
      <wbr />
      {of.slice(at)}
    </>
  );
};
