#!/bin/sh
# demo.sh BIN: makes an image of a film whose walls are known, finds its walls with the shipped ensemble,
# scores them, and says where to look.
set -eu
bin=$1
out=build/demo
mkdir -p "$out"
echo "A made frame of a ferroelectric film, 256 x 256 pixels, with its true walls:"
"$bin/reshed-twin" image -o "$out/film" --size 256 --seed 3 --quiet
echo "Its walls by the shipped ensemble, scored against the truth:"
"$bin/reshed-infer" --png "$out/film" --h5 "$out/film_map.h5" --mean "$out/film_mean.npy" --truth "$out/film_walls.npy" "$out/film.npy"
echo "The walls as objects, and every fifth pixel of them as measurement points on a short route:"
"$bin/reshed-walls" "$out/film_mean.npy" --every 5 --walls "$out/film_found_walls.csv" --points "$out/film_points.csv"
echo
echo "Look at $out/film_overlay.png (walls on the amplitude), film_mean.png and film_variance.png."
