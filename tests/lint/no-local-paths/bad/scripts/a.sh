ls /root/.pyenv/versions
