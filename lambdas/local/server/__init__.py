"""The local server: API, page and photos on one port, over a folder that is watched."""
