// Gives every block of text to be copied a button that does it. Without scripts there is none, and
// the text can be selected.

for (const block of document.querySelectorAll('.copy')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Copy';
  button.addEventListener('click', async () => {
    const text = block.querySelector('code').textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = 'Copied';
    } catch {
      getSelection().selectAllChildren(block.querySelector('code'));
      button.textContent = 'Selected';
    }
    button.addEventListener('blur', () => { button.textContent = 'Copy'; }, { once: true });
  });
  block.append(button);
}
