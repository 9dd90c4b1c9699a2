cd ~/.pyenv; ls /var/tmp; x=$PWD/work/y
