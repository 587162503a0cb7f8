"""How a champion fares in use: how far its inputs have moved, and how its predictions turned out."""
