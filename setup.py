from setuptools import find_packages, setup

setup(name='bgaug_mm', version='0.1.0', packages=find_packages(include=['bgaug_mm', 'bgaug_mm.*']))
